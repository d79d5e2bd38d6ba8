import mustache, { type TemplateSpans } from 'mustache';

/** What a template may have between its braces. */
export interface Allowed {
  readonly values: readonly string[];
  /** Sections that repeat or appear, with what else may stand in each. */
  readonly sections?: Readonly<Record<string, readonly string[]>>;
}

/** What is used of it, or what is wrong with it. */
export interface Inspection {
  readonly problems: readonly string[];
  /** Names of values and sections. */
  readonly used: ReadonlySet<string>;
}

/**
 * Looks a template through before it is ever rendered. A name that nobody knows would silently become nothing, and
 * `{{{…}}}` would let what people typed become HTML.
 */
export function inspectTemplate(template: string, allowed: Allowed): Inspection {
  const problems: string[] = [];
  const used = new Set<string>();
  const spans = parse(template);
  if (typeof spans === 'string') return { problems: [spans], used };
  inspect(spans, allowed.values);
  return { problems, used };

  function inspect(spans: TemplateSpans, values: readonly string[]): void {
    for (const [type, name, , , children] of spans) {
      if (type === 'text' || type === '!') continue;
      used.add(name);
      if (type === 'name') {
        if (!values.includes(name)) problems.push(`has {{${name}}}, which is not ${listOf(values)}`);
      } else if (type === '#' || type === '^') {
        const inside = allowed.sections?.[name];
        if (inside === undefined) problems.push(`has {{${type}${name}}}, which is no section here`);
        else if (Array.isArray(children)) inspect(children, type === '#' ? [...values, ...inside] : values);
      } else {
        problems.push(`has a tag around "${name}" that is not allowed here: only {{name}} is`);
      }
    }
  }
}

function parse(template: string): TemplateSpans | string {
  try {
    return mustache.parse(template);
  } catch (error) {
    if (error instanceof Error) return `is no template: ${error.message}`;
    throw error;
  }
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'known' : `one of ${names.join(', ')}`;
}
