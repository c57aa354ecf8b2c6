/**
 * A pickle reader that builds data and nothing else.
 *
 * Only the opcodes that plain data need are known; a global is looked up in
 * the caller's table, and only entries of that table can ever be called.
 *
 * Source: https://docs.python.org/3/library/pickletools.html (protocols 2 to 5)
 *
 * @module
 */

import type { ByteReader } from "./byte_reader.ts";
import { malformed, printable, refused } from "./checkpoint_error.ts";
import { OPCODE_NAMES } from "./pickle_opcodes.ts";

/** A Python tuple, apart from a list. */
export class PickleTuple {
  /** The elements. */
  readonly items: readonly PickleValue[];

  /** Makes the tuple of `items`. */
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** Anything a pickle may build here; objects are the caller's own. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleTuple
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleObject;

/** Marks the classes of values that the caller's functions make. */
export abstract class PickleObject {
  /** What Python calls it, for error messages. */
  abstract readonly pythonName: string;
}

/** A global the caller allows. */
export class PickleGlobal extends PickleObject {
  readonly pythonName: string;
  /** Called when the pickle calls the global; absent when it may not. */
  readonly call?: (args: readonly PickleValue[]) => PickleValue;

  /** Makes the global `module.name`. */
  constructor(
    pythonName: string,
    call?: (args: readonly PickleValue[]) => PickleValue,
  ) {
    super();
    this.pythonName = pythonName;
    if (call) this.call = call;
  }
}

/** What a value is, in a few words, however large it is and whatever it contains. */
export function describe(value: PickleValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "None";
  if (typeof value === "string") return `"${printable(value, 40)}"`;
  if (typeof value !== "object") return printable(`${value}`, 40);
  if (value instanceof PickleTuple) return "a tuple";
  if (value instanceof Map) return "a dict";
  if (value instanceof PickleObject) return printable(value.pythonName, 40);
  return Array.isArray(value) ? "a list" : "bytes";
}

/** What a pickle may reach outside itself. */
interface PickleOptions {
  /** The allowed globals by `module.name`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** Resolves a persistent id; without it, persistent ids are refused. */
  readonly persistentLoad?: (id: PickleValue) => PickleValue;
}

/**
 * Reads one pickle and leaves `reader` just after it.
 *
 * @throws {CheckpointError} When the pickle is malformed, or asks for an opcode
 * or a global that is not allowed.
 */
export function readPickle(
  reader: ByteReader,
  options: PickleOptions,
): PickleValue {
  return new Machine(reader, options).run();
}

const MARK = Symbol("mark");

/** Values that calls may look at whatever a pickle's length, and for each of its bytes. */
const MIN_WORK = 2 ** 16;
const WORK_PER_BYTE = 16;

class Machine {
  readonly #reader: ByteReader;
  readonly #options: PickleOptions;
  readonly #memo = new Map<number, PickleValue>();
  #stack: (PickleValue | typeof MARK)[] = [];
  #work = 0;

  constructor(reader: ByteReader, options: PickleOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  run(): PickleValue {
    for (;;) {
      const at = this.#reader.offset;
      const opcode = this.#reader.u8();
      if (opcode === 0x2e) return this.#pop();
      if (
        !this.#scalar(opcode) && !this.#container(opcode) &&
        !this.#memoOrObject(opcode)
      ) {
        const name = OPCODE_NAMES.get(opcode);
        if (name) throw refused(`pickle opcode ${name}`);
        throw malformed(`byte ${at} is ${opcode}, which is no pickle opcode`);
      }
    }
  }

  #scalar(opcode: number): boolean {
    const reader = this.#reader;
    switch (opcode) {
      case 0x80: // PROTO
        this.#checkProtocol(reader.u8());
        return true;
      case 0x95: // FRAME
        reader.take(8);
        return true;
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4a: // BININT
        return this.#push(reader.i32());
      case 0x4b: // BININT1
        return this.#push(reader.u8());
      case 0x4d: // BININT2
        return this.#push(reader.u16());
      case 0x8a: // LONG1
        return this.#push(readLong(reader.take(reader.u8())));
      case 0x47: // BINFLOAT
        return this.#push(reader.f64BigEndian());
      case 0x58: // BINUNICODE
        return this.#push(reader.text(reader.u32()));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(reader.text(reader.u8()));
      case 0x8d: // BINUNICODE8
        return this.#push(reader.text(reader.u64()));
      case 0x55: // SHORT_BINSTRING, a Python 2 str
        return this.#push(reader.text(reader.u8()));
      case 0x54: // BINSTRING, a Python 2 str
        return this.#push(reader.text(reader.u32()));
      case 0x43: // SHORT_BINBYTES
        return this.#push(reader.take(reader.u8()));
      case 0x42: // BINBYTES
        return this.#push(reader.take(reader.u32()));
    }
    return false;
  }

  #container(opcode: number): boolean {
    switch (opcode) {
      case 0x28: // MARK
        this.#stack.push(MARK);
        return true;
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x5d: // EMPTY_LIST
        return this.#push([]);
      case 0x29: // EMPTY_TUPLE
        return this.#push(new PickleTuple([]));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(new PickleTuple(this.#popMany(opcode - 0x84)));
      case 0x74: // TUPLE
        return this.#push(new PickleTuple(this.#popToMark()));
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popToMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());
    }
    return false;
  }

  #memoOrObject(opcode: number): boolean {
    const reader = this.#reader;
    switch (opcode) {
      case 0x71: // BINPUT
        return this.#put(reader.u8());
      case 0x72: // LONG_BINPUT
        return this.#put(reader.u32());
      case 0x94: // MEMOIZE
        return this.#put(this.#memo.size);
      case 0x68: // BINGET
        return this.#get(reader.u8());
      case 0x6a: // LONG_BINGET
        return this.#get(reader.u32());
      case 0x63: // GLOBAL
        return this.#global(reader.line(), reader.line());
      case 0x93: { // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== "string" || typeof name !== "string") {
          throw malformed(
            `the pickle names a global by ${describe(module)} and ${
              describe(name)
            }`,
          );
        }
        return this.#global(module, name);
      }
      case 0x52: { // REDUCE
        const [callable, args] = this.#popMany(2);
        this.#spend(args);
        return this.#push(call(callable, args));
      }
      case 0x62: // BUILD
        return this.#build(this.#pop());
      case 0x51: // BINPERSID
        return this.#persistent(this.#pop());
    }
    return false;
  }

  /** Counts what calls look at, which a few bytes may name again and again. */
  #spend(args: PickleValue): void {
    const items = args instanceof PickleTuple ? args.items : [];
    for (const item of [args, ...items.slice(0, 16)]) {
      this.#work += item instanceof PickleTuple
        ? item.items.length
        : item instanceof Map
        ? item.size
        : Array.isArray(item)
        ? item.length
        : 1;
    }
    if (this.#work > MIN_WORK + WORK_PER_BYTE * this.#reader.offset) {
      throw malformed("the pickle makes too much of the same values");
    }
  }

  #checkProtocol(protocol: number): void {
    if (protocol > 5) {
      throw malformed(`it has pickle protocol ${protocol}, expected at most 5`);
    }
  }

  #push(value: PickleValue): true {
    this.#stack.push(value);
    return true;
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) {
      throw malformed("the pickle takes more from its stack than it put there");
    }
    return value;
  }

  #popMany(count: number): PickleValue[] {
    const values: PickleValue[] = [];
    for (let i = 0; i < count; i++) values.unshift(this.#pop());
    return values;
  }

  #popToMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw malformed("the pickle has no mark where one is needed");
    const values = this.#stack.splice(mark) as (PickleValue)[];
    return values.slice(1);
  }

  #append(values: readonly PickleValue[]): true {
    const list = this.#pop();
    if (!Array.isArray(list)) throw malformed("the pickle appends to no list");
    for (const value of values) list.push(value);
    return this.#push(list);
  }

  #setItems(values: readonly PickleValue[]): true {
    const dict = this.#pop();
    if (!(dict instanceof Map) || values.length % 2 !== 0) {
      throw malformed("the pickle sets items of no dict");
    }
    for (let i = 0; i < values.length; i += 2) {
      dict.set(values[i], values[i + 1]);
    }
    return this.#push(dict);
  }

  #put(index: number): true {
    const value = this.#pop();
    this.#memo.set(index, value);
    return this.#push(value);
  }

  #get(index: number): true {
    const value = this.#memo.get(index);
    if (value === undefined) {
      throw malformed(`the pickle recalls value ${index}, which it never kept`);
    }
    return this.#push(value);
  }

  #global(module: string, name: string): true {
    const found = this.#options.globals.get(`${module}.${name}`);
    if (!found) throw refused(`${module}.${name}`);
    return this.#push(found);
  }

  /** A state dict carries `_metadata` as an attribute; nothing else may. */
  #build(state: PickleValue): true {
    const target = this.#pop();
    if (!(target instanceof Map) || !(state instanceof Map)) {
      throw refused("attributes of an object");
    }
    return this.#push(target);
  }

  #persistent(id: PickleValue): true {
    const load = this.#options.persistentLoad;
    if (!load) throw refused("persistent id");
    return this.#push(load(id));
  }
}

function call(callable: PickleValue, args: PickleValue): PickleValue {
  if (!(callable instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
    throw malformed("the pickle calls what is no function");
  }
  if (!callable.call) throw refused(`${callable.pythonName}()`);
  return callable.call(args.items);
}

/** Reads a little-endian two's-complement integer of any length. */
function readLong(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) {
    value = value << 8n | BigInt(bytes[i]);
  }
  value = BigInt.asIntN(bytes.length * 8, value);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
