/**
 * Returns the first key that occurs twice in one object of `json`, which
 * `JSON.parse` would pass over in silence, or `undefined`. Keys are compared
 * after their escapes are resolved. `json` must already parse.
 */
export function duplicateKey(json: string): string | undefined {
  // One set of keys per open object, `null` per open array.
  const open: (Set<string> | null)[] = [];
  const token = /["{}[\]:]/g;
  let text = "";
  for (let match = token.exec(json); match; match = token.exec(json)) {
    switch (match[0]) {
      case '"': {
        const end = stringEnd(json, match.index);
        text = json.slice(match.index, end);
        token.lastIndex = end;
        break;
      }
      case ":": {
        const key = JSON.parse(text) as string;
        const keys = open.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
        break;
      }
      case "{":
        open.push(new Set());
        break;
      case "[":
        open.push(null);
        break;
      default:
        open.pop();
    }
  }
  return undefined;
}

/** Returns the index after the closing quote of the string at `start`. */
function stringEnd(json: string, start: number): number {
  const token = /["\\]/g;
  token.lastIndex = start + 1;
  for (let match = token.exec(json); match; match = token.exec(json)) {
    if (match[0] === '"') return token.lastIndex;
    token.lastIndex++;
  }
  return json.length;
}
