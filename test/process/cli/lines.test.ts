import { describe, expect, it } from 'vitest';
import { type Line, readLines } from '../../../src/cli/lines.ts';

const MAX_BYTES = 10;

async function linesOf(...chunks: readonly (string | Buffer)[]): Promise<readonly Line[]> {
  async function* input() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: Line[] = [];
  for await (const line of readLines(input(), MAX_BYTES)) lines.push(line);
  return lines;
}

function numbered(...texts: readonly (string | null)[]): readonly Line[] {
  return texts.map((text, index) => ({ number: index + 1, text }));
}

describe('readLines', () => {
  it.each<[string, readonly (string | Buffer)[], readonly (string | null)[]]>([
    ['nothing', [], []],
    ['a line without an end', ['abc'], ['abc']],
    ['a line with an end', ['abc\n'], ['abc']],
    ['empty lines between', ['a\n\nb\n'], ['a', '', 'b']],
    ['lines cut anywhere', ['a', 'b\nc', '', 'd', '\n', 'e'], ['ab', 'cd', 'e']],
    ['a character cut in two', [Buffer.of(0xc3), Buffer.of(0xbc, 0x0a)], ['\u00fc']],
    ['a byte order mark', ['\ufeffa\nb'], ['a', 'b']],
    ['a line as long as may be', ['0123456789\n'], ['0123456789']],
    ['a line that is too long', ['a\n01234567890\nb\n'], ['a', null, 'b']],
    ['a long line in many pieces', [...Array<string>(1000).fill('0123456789'), '\nb'], [null, 'b']],
    ['what is not UTF-8', [Buffer.of(0xff, 0x0a), 'b'], [null, 'b']],
  ])('reads %s', async (_, chunks, texts) => {
    expect(await linesOf(...chunks)).toEqual(numbered(...texts));
  });
});
