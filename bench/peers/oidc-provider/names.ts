export const CLIENT_ID = 'bench';
export const SCOPE = 'openid email profile offline_access';
export const ISSUE_PATH = '/issue';
