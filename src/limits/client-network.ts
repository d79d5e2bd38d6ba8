import ipaddr from 'ipaddr.js';

const IPV6_NETWORK_BITS = 64;
/** What is no address cannot be told apart, and shares one limit. */
const UNKNOWN = 'unknown';

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one household or host
 * is given and can change its address within.
 */
export function clientNetwork(ipAddress: string): string {
  // Some proxies append the client's port.
  const withoutPort = /^\[?([^\]]+?)\]?(?::\d+)?$/.exec(ipAddress)?.[1] ?? '';
  const text = [ipAddress, withoutPort].find((candidate) => ipaddr.isValid(candidate));
  if (text === undefined) return UNKNOWN;
  const address = ipaddr.process(text);
  if (address.kind() === 'ipv4') return address.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${IPV6_NETWORK_BITS}`)}/${IPV6_NETWORK_BITS}`;
}
