import type { LookupAddress, LookupOptions } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { isPublicAddress, PrivateAddressError, publicLookup } from '../../src/providers/public-address.ts';

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])('is true of %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '',
    'localhost',
  ])('is false of %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('publicLookup', () => {
  const lookUp = (host: string, options: LookupOptions) =>
    new Promise<string | LookupAddress[]>((resolve, reject) => {
      publicLookup(host, options, (error, found) => (error === null ? resolve(found) : reject(error)));
    });

  it('answers as it was asked: all addresses, or one', async () => {
    expect(await lookUp('8.8.8.8', { all: true })).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await lookUp('8.8.8.8', {})).toBe('8.8.8.8');
  });

  it('fails for a host with an address that is not public', async () => {
    for (const options of [{ all: true }, {}]) {
      await expect(lookUp('localhost', options)).rejects.toThrow(PrivateAddressError);
    }
  });
});
