/** Makes a session for the floors that need one, and is not measured. */
export const SESSION_PATH = '/session';
export const LOGIN_PATH = '/login';
export const REFRESH_PATH = '/refresh';
export const ME_PATH = '/me';
