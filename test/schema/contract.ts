import {
  type DocumentNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  print,
  type TypeDefinitionNode,
  type TypeNode,
} from 'graphql';

/** What an API lacks of the contract, and where it breaks it. */
export interface Comparison {
  /** Types, fields and members of unions that are not there yet, in the contract's order. */
  readonly missing: readonly string[];
  /** What is there and is not as it must be. */
  readonly breaches: readonly string[];
}

/**
 * Holds an API against the contract that clients rely on: the same names, arguments and defaults; of what goes in the
 * same types; of what comes out the same or stricter. The API may have more, but nothing more that clients must send.
 */
export function compareWithContract(contract: DocumentNode, api: DocumentNode): Comparison {
  const missing: string[] = [];
  const breaches: string[] = [];
  const promised = typesOf(contract);
  const actual = typesOf(api);
  for (const [name, type] of promised) {
    const found = actual.get(name);
    if (found === undefined) missing.push(name);
    else compareTypes(type, found);
  }
  return { missing, breaches };

  function compareTypes(wanted: ApiType, found: ApiType): void {
    const { name } = wanted;
    if (found.kind !== wanted.kind) {
      breaches.push(`${name} is ${found.kind} in place of ${wanted.kind}`);
      return;
    }
    for (const value of wanted.values) if (!found.values.has(value)) breaches.push(`${name}.${value} is no value`);
    for (const member of wanted.members) {
      if (found.members.has(member)) continue;
      const list = actual.has(member) ? breaches : missing;
      list.push(`${name} = ${member}`);
    }
    for (const parent of wanted.interfaces) {
      if (!found.interfaces.has(parent)) breaches.push(`${name} does not implement ${parent}`);
    }
    for (const [fieldName, field] of wanted.fields) {
      const foundField = found.fields.get(fieldName);
      if (foundField === undefined) missing.push(`${name}.${fieldName}`);
      else compareFields(`${name}.${fieldName}`, field, foundField);
    }
    const inputs = compareInputs(name, wanted.inputs, found.inputs);
    for (const input of inputs) missing.push(`${name}.${input}`);
  }

  function compareFields(name: string, wanted: FieldDefinitionNode, found: FieldDefinitionNode): void {
    if (!isSameOrStricter(wanted.type, found.type)) {
      breaches.push(`${name} is ${print(found.type)} in place of ${print(wanted.type)}`);
    }
    const absent = compareInputs(name, byName(wanted.arguments), byName(found.arguments));
    for (const argument of absent) breaches.push(`${name}(${argument}) is no argument`);
  }

  /** Returns what is not there at all. */
  function compareInputs(owner: string, wanted: Inputs, found: Inputs): readonly string[] {
    for (const [name, input] of found) {
      const isRequired = input.type.kind === Kind.NON_NULL_TYPE && input.defaultValue === undefined;
      if (isRequired && !wanted.has(name)) breaches.push(`${owner}(${name}) is required, and not in the contract`);
    }
    return [...wanted].flatMap(([name, input]) => {
      const foundInput = found.get(name);
      if (foundInput === undefined) return [name];
      if (signatureOf(foundInput) !== signatureOf(input)) {
        breaches.push(`${owner}(${name}) is ${signatureOf(foundInput)} in place of ${signatureOf(input)}`);
      }
      return [];
    });
  }
}

/** Every type that a client of these root fields, such as `Query.me`, may come across. */
export function typesBehind(contract: DocumentNode, rootFields: readonly string[]): ReadonlySet<string> {
  const types = typesOf(contract);
  const names = new Set<string>();
  const pending = rootFields.flatMap((name) => {
    const [typeName = '', fieldName = ''] = name.split('.');
    const field = types.get(typeName)?.fields.get(fieldName);
    return field === undefined ? [] : typesOfField(field);
  });
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const type = types.get(name);
    if (type === undefined || names.has(name)) continue;
    names.add(name);
    pending.push(...[...type.fields.values()].flatMap(typesOfField), ...[...type.inputs.values()].map(nameOfType));
    pending.push(...type.members, ...type.interfaces);
  }
  return names;
}

function typesOfField(field: FieldDefinitionNode): readonly string[] {
  return [nameOfType(field), ...(field.arguments ?? []).map(nameOfType)];
}

function nameOfType({ type }: { readonly type: TypeNode }): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameOfType(type);
}

type Inputs = ReadonlyMap<string, InputValueDefinitionNode>;

interface ApiType {
  readonly name: string;
  readonly kind: string;
  readonly fields: ReadonlyMap<string, FieldDefinitionNode>;
  readonly inputs: Inputs;
  readonly values: ReadonlySet<string>;
  readonly members: ReadonlySet<string>;
  readonly interfaces: ReadonlySet<string>;
}

function typesOf({ definitions }: DocumentNode): ReadonlyMap<string, ApiType> {
  const types = definitions.flatMap((definition) => (isTypeDefinition(definition) ? [typeOf(definition)] : []));
  return new Map(types.map((type) => [type.name, type]));
}

function isTypeDefinition(definition: DocumentNode['definitions'][number]): definition is TypeDefinitionNode {
  return definition.kind.endsWith('TypeDefinition');
}

function typeOf(node: TypeDefinitionNode): ApiType {
  const hasFields = node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION;
  const names = (nodes: readonly { readonly name: { readonly value: string } }[] = []) =>
    new Set(nodes.map(({ name }) => name.value));
  return {
    name: node.name.value,
    kind: node.kind,
    fields: byName(hasFields ? node.fields : []),
    inputs: byName(node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION ? node.fields : []),
    values: names(node.kind === Kind.ENUM_TYPE_DEFINITION ? node.values : []),
    members: names(node.kind === Kind.UNION_TYPE_DEFINITION ? node.types : []),
    interfaces: names(hasFields ? node.interfaces : []),
  };
}

function byName<Node extends { readonly name: { readonly value: string } }>(
  nodes: readonly Node[] = [],
): ReadonlyMap<string, Node> {
  return new Map(nodes.map((node) => [node.name.value, node]));
}

function isSameOrStricter(wanted: TypeNode, found: TypeNode): boolean {
  if (wanted.kind === Kind.NON_NULL_TYPE)
    return found.kind === Kind.NON_NULL_TYPE && isSameOrStricter(wanted.type, found.type);
  if (found.kind === Kind.NON_NULL_TYPE) return isSameOrStricter(wanted, found.type);
  if (wanted.kind === Kind.LIST_TYPE) return found.kind === Kind.LIST_TYPE && isSameOrStricter(wanted.type, found.type);
  return found.kind === Kind.NAMED_TYPE && found.name.value === wanted.name.value;
}

function signatureOf({ type, defaultValue }: InputValueDefinitionNode): string {
  return defaultValue === undefined ? print(type) : `${print(type)} = ${print(defaultValue)}`;
}
