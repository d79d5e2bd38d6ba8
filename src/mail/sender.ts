/** What the service is called in mails: the name they come from, or the host of the address without one. */
export function serviceName(from: string): string {
  const [, name = '', address = from] = /^(.*?)\s*<([^<>]*)>$/.exec(from) ?? [];
  return name.replace(/^"(.*)"$/, '$1') || address.slice(address.lastIndexOf('@') + 1);
}
