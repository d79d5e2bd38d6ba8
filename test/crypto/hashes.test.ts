import { describe, expect, it } from 'vitest';
import { isKnownPasswordHash, needsRehash, verifyPassword } from '../../src/crypto/password-hash.ts';

const parametersInForce = { memoryKib: 19_456, iterations: 2, parallelism: 1 };
const nonAscii = 't\u00e1\u0411\u2113\u0259';
const longerThan72Bytes = 'abc123'.repeat(12);

/** What other systems made of a password: the vectors of their own documentation and tests unless said otherwise. */
const vectors: readonly (readonly [system: string, password: string, hash: string])[] = [
  ['bcrypt $2a$ (John the Ripper)', 'U*U*U*U*', '$2a$05$c92SVSfjeiCD6F2nAD6y0uBpJDjdRkt0EgeC4/31Rf2LUZbDRDE.O'],
  ['bcrypt $2a$ (crypt_blowfish)', 'U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
  ['bcrypt $2a$ (py-bcrypt)', 'abc', '$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'],
  ['bcrypt $2a$ (passlib)', nonAscii, '$2a$05$Z17AXnnlpzddNUvnC6cZNOSwMA/8oNiKnHTHTwLlBijfucQQlHjaG'],
  ['bcrypt $2b$ (the same)', nonAscii, '$2b$05$Z17AXnnlpzddNUvnC6cZNOSwMA/8oNiKnHTHTwLlBijfucQQlHjaG'],
  ['bcrypt $2y$ (the same)', nonAscii, '$2y$05$Z17AXnnlpzddNUvnC6cZNOSwMA/8oNiKnHTHTwLlBijfucQQlHjaG'],
  ['bcrypt with chance in its spare bits', 'test', '$2a$04$oaQbBqq8JnSM1NHRPQGXORY4Vw3bdHKLIXTecPDRAcJ98cz1ilveO'],
  ['bcrypt with chance at its end', 'test', '$2a$04$yjDgE74RJkeqC0/1NheSSOrvKeu9IbKDpcQf/Ox3qsrRS/Kw42qIV'],
  [
    'Django bcrypt',
    'abcdefghijklmnopqrstuvwxyz',
    'bcrypt$$2a$10$fVH8e28OQRj9tqiDXs1e1uxpsjN0c7II7YPKXua2NAKYvM6iQk7dq',
  ],
  ['Django bcrypt_sha256', nonAscii, 'bcrypt_sha256$$2a$06$kCXUnRFQptGg491siDKNTu8RxjBGSjALHRuvhPYNFsa4Ea5d9M48u'],
  [
    'Django bcrypt_sha256, over 72 bytes',
    `${longerThan72Bytes}qwr`,
    'bcrypt_sha256$$2a$06$Tg/oYyZTyAf.Nb3qSgN61Ocy0BEz1RK6xslSNi8PlaLX2pe7x/KQG',
  ],
  [
    'Django 5.2 bcrypt_sha256 (made with it)',
    'l\u00e8tmein',
    'bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuulyx/yrfLnuLCi6gwFG5mrkJjuQKpL6S',
  ],
  [
    'passlib bcrypt_sha256, version 1',
    'password',
    '$bcrypt-sha256$2a,5$5Hg1DKFqPE8C2aflZ5vVoe$12BjNE0p7axMg55.Y/mHsYiVuFBDQyu',
  ],
  [
    'passlib bcrypt_sha256, version 2',
    nonAscii,
    '$bcrypt-sha256$v=2,t=2b,r=5$.US1fQ4TQS.ZTz/uJ5Kyn.$pzzgp40k8reM1CuQb03PvE0IDPQSdV6',
  ],
  [
    'passlib bcrypt_sha256, over 72 bytes',
    `${longerThan72Bytes}xyz`,
    '$bcrypt-sha256$v=2,t=2b,r=5$X1g1nh3g0v4h6970O68cxe$zC/1UDUG2ofEXB6Onr2vvyFzfhEOS3S',
  ],
  ['passlib pbkdf2_sha1', 'password', '$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI'],
  [
    'passlib pbkdf2_sha256',
    'password',
    '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ',
  ],
  [
    'passlib pbkdf2_sha512',
    'password',
    '$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww',
  ],
  ['Django pbkdf2_sha256', nonAscii, 'pbkdf2_sha256$10000$bEwAfNrH1TlQ$OgYUblFNUX1B8GfMqaCYUK/iHyO0pa7STTDdaEJBuY0='],
  [
    'Django 4.1 pbkdf2_sha256',
    'l\u00e8tmein',
    'pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c=',
  ],
  ['Django pbkdf2_sha1', 'not a password', 'pbkdf2_sha1$10000$wz5B6WkasRoF$atJmJ1o+XfJxKq1+Nu1f1i57Z5I='],
  [
    'Werkzeug pbkdf2:sha256 (made with 3.1)',
    'correct horse battery staple',
    'pbkdf2:sha256:1000$Kk3VtG4WZr8qPm2L$8d176be4de2adcd8e1de22c71a905a89ef03fda4ce3b4d2ae17ef4ad948d9265',
  ],
  [
    'Werkzeug pbkdf2:sha512 (made with 3.1)',
    'correct horse battery staple',
    'pbkdf2:sha512:1000$Kk3VtG4WZr8qPm2L$879fc6a7045c7ad6cd40991e801ed84fd8581ede2f8c170296aa146e6015706fcd5fd964dd29ffd6023e6ca0fa38b00e74bbc10194593d240b15b4675d172c68',
  ],
  [
    'Werkzeug pbkdf2:sha1 (made with 3.1)',
    'l\u00e8tmein',
    'pbkdf2:sha1:1000$Kk3VtG4W$06fbc3840fc47db42a66c0e9fedcad6af3d7bf84',
  ],
  [
    'passlib scrypt (RFC 7914)',
    'password',
    '$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI',
  ],
  [
    'passlib scrypt',
    nonAscii,
    '$scrypt$ln=7,r=8,p=1$jjGmtDamdA4BQAjBeA9BSA$OiWRHhQtpDx7M/793x6UXK14AD512jg/qNm/hkWZG4M',
  ],
  ['scrypt $7$', 'pleaseletmein', '$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D'],
  [
    'Django scrypt',
    'l\u00e8tmein',
    'scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==',
  ],
  [
    'Werkzeug scrypt (made with 3.1)',
    'correct horse battery staple',
    'scrypt:32768:8:1$Kk3VtG4WZr8qPm2L$117a4bcb8f256ac8fec3563c0639c94181869575cf807a87e18472c94d72f071f85098232bd56d311b592a79c4296efc96dbe6d62a84e0ce09e21900f79bd47d',
  ],
  ['passlib argon2i', nonAscii, '$argon2i$v=19$m=512,t=2,p=2$1sV0O4PWLtc12Ypv1f7oGw$z+yqzlKtrq3SaNfXDfIDnQ'],
  [
    'argon2d (argon2_cffi)',
    'password',
    '$argon2d$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$cZn5d+rFh+ZfuRhm2iGUGgcrW5YLeM6q7L3vBsdmFA0',
  ],
  [
    'argon2i of before there were versions (argon2_cffi)',
    'password',
    '$argon2i$m=65536,t=2,p=4$c29tZXNhbHQAAAAAAAAAAA$QWLzI4TY9HkL2ZTLc8g6SinwdhZewYrzz9zxCo0bkGY',
  ],
  ['Django argon2', 'secret', 'argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q'],
];

describe('the hashes of other systems', () => {
  it.each(vectors)('%s: knows the password and no other', async (_, password, hash) => {
    expect(isKnownPasswordHash(hash)).toBe(true);
    expect(await verifyPassword(hash, password)).toBe(true);
    const others = [`x${password}`, password.slice(1), password.toUpperCase().replace('U*', 'u*'), ' '];
    expect(await Promise.all(others.map((other) => verifyPassword(hash, other)))).toEqual(others.map(() => false));
  });

  it.each(vectors)('%s: is replaced at the next login', (_, __, hash) => {
    expect(needsRehash(parametersInForce, hash)).toBe(true);
  });

  it('knows a password that was hashed as it was typed, with letter and accent apart, and the composed one as such', async () => {
    const decomposed = 'le\u0300tmein';
    const hashOfDecomposed =
      'pbkdf2:sha256:1000$Kk3VtG4W$69cfcb1dae350bf37da78d2d8ff049b84ba1895ff78f887c0b0d18736ca3b35d';
    const hashOfComposed = 'pbkdf2:sha1:1000$Kk3VtG4W$06fbc3840fc47db42a66c0e9fedcad6af3d7bf84';
    expect(await verifyPassword(hashOfDecomposed, decomposed)).toBe(true);
    expect(await verifyPassword(hashOfComposed, decomposed)).toBe(true);
  });

  it('takes of a bcrypt password no more than the 72 bytes that were hashed', async () => {
    const hash = '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui';
    const first72 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
    expect(await verifyPassword(hash, first72)).toBe(true);
    expect(await verifyPassword(hash, `${first72}chars after 72 are ignored`)).toBe(true);
    expect(await verifyPassword(hash, first72.slice(0, -1))).toBe(false);
  });

  it('does not end a bcrypt password at a NUL', async () => {
    const hash = '$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi';
    expect(await verifyPassword(hash, 'abc')).toBe(true);
    expect(await verifyPassword(hash, 'abc\0')).toBe(false);
    expect(await verifyPassword(hash, 'abc\0def')).toBe(false);
  });

  it('leaves the event loop free while a hash is computed', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await verifyPassword('$2b$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi', 'abc');
    await verifyPassword('pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c=', 'letmein');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  const bcrypt = 'WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi';
  const sha256Tag = '8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c=';
  const hexTag = '8d176be4de2adcd8e1de22c71a905a89ef03fda4ce3b4d2ae17ef4ad948d9265';
  it.each([
    ['bcrypt of the broken minor x', `$2x$10$${bcrypt}`],
    ['bcrypt of an unknown minor', `$2c$10$${bcrypt}`],
    ['bcrypt that would take hours', `$2b$31$${bcrypt}`],
    ['bcrypt below the least cost', `$2b$03$${bcrypt}`],
    ['bcrypt with a cost of one digit', `$2b$6$${bcrypt}`],
    ['bcrypt cut off', `$2b$10$${bcrypt.slice(1)}`],
    ['bcrypt with a letter it does not have', `$2b$10$!${bcrypt.slice(1)}`],
    ['Django bcrypt with something before the hash', `bcrypt$xyz$2b$10$${bcrypt}`],
    [
      'passlib bcrypt_sha256 of a version to come',
      '$bcrypt-sha256$v=3,t=2b,r=5$5Hg1DKFqPE8C2aflZ5vVoe$wOK1VFFtS8IGTrGa7.h5fs0u84qyPbS',
    ],
    ['PBKDF2 that would take minutes', `pbkdf2_sha256$9999999$seasalt$${sha256Tag}`],
    ['PBKDF2 without iterations', `pbkdf2_sha256$0$seasalt$${sha256Tag}`],
    ['PBKDF2 with more digits than a number holds', `pbkdf2_sha256$${'9'.repeat(400)}$seasalt$${sha256Tag}`],
    ['PBKDF2 with a digest nobody should use', `pbkdf2:md5:1000$seasalt$${hexTag}`],
    ['PBKDF2 with a tag of another length', `pbkdf2:sha512:1000$seasalt$${hexTag}`],
    ['PBKDF2 with a tag that anybody guesses', 'pbkdf2:sha256:1000$seasalt$8d'],
    ['PBKDF2 with padded iterations', '$pbkdf2$01212$THDqatpidANpadlLeTeOEg$HV3oi1k5C5LQCgG1BMOL.BX4YZc'],
    ['scrypt that would take 4 GiB', `scrypt:4194304:8:1$seasalt$${hexTag}`],
    ['scrypt that would take minutes', `scrypt:32768:8:4096$seasalt$${hexTag}`],
    ['scrypt with an N that is no power of two', `scrypt:32769:8:1$seasalt$${hexTag}`],
    ['scrypt with an N of one', `scrypt:1:8:1$seasalt$${hexTag}`],
    ['scrypt with an empty tag', 'scrypt:32768:8:1$seasalt$'],
    ['scrypt without p', '$scrypt$ln=10,r=1$wvif8/4fg1Cq9V7L2dv73w$bJcLia1lyfQ1X2x0xflehwVXPzWIUQWWdnlGwfVzBeQ'],
    [
      'scrypt with a huge block',
      `$scrypt$ln=10,r=134217728,p=8$wvif8/4fg1Cq9V7L2dv73w$bJcLia1lyfQ1X2x0xflehwVXPzWIUQWWdnlGwfVzBeQ`,
    ],
    ['a salt of a megabyte', `scrypt:32768:8:1$${'s'.repeat(1_000_000)}$${hexTag}`],
    ['a line break at the end', `$2b$10$${bcrypt}\n`],
    ['a plain SHA-1', 'sha1$seasalt$cff36ea83f5706ce9aa7454e63e431fc726b2dc8'],
    ['an MD5 crypt', '$1$abcdefgh$G//4keteveJp0qb8z2DxG/'],
    [
      'a SHA-512 crypt',
      '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1',
    ],
    ['Django’s mark of an unusable password', '!9wa845vn7098ythaehasldkfj'],
    ['the password itself', 'letmein'],
  ])('knows no password for %s', async (_, hash) => {
    expect(isKnownPasswordHash(hash)).toBe(false);
    expect(await verifyPassword(hash, 'letmein')).toBe(false);
    expect(needsRehash(parametersInForce, hash)).toBe(true);
  });
});
