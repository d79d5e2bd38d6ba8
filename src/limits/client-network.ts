import ipaddr from 'ipaddr.js';

const IPV6_NETWORK_BITS = 64;

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one household or host
 * is given and can change its address within.
 */
export function clientNetwork(ipAddress: string): string {
  if (!ipaddr.isValid(ipAddress)) return ipAddress;
  const address = ipaddr.process(ipAddress);
  if (address.kind() === 'ipv4') return address.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${IPV6_NETWORK_BITS}`)}/${IPV6_NETWORK_BITS}`;
}
