/**
 * Lint plugin of the house rules in `rules.ts`.
 *
 * @module
 */
import {
  countLines,
  importProblem,
  isPortable,
  isShipped,
  lengthProblem,
} from "./rules.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

function relative(path: string): string {
  const slashed = path.replaceAll("\\", "/").replace(/^([A-Za-z]:)/, "/$1");
  return slashed.startsWith(ROOT) ? slashed.slice(ROOT.length) : slashed;
}

const importDirection: Deno.lint.Rule = {
  create(context) {
    const file = relative(context.filename);
    const check = (source: Deno.lint.Node | null): void => {
      if (source?.type !== "Literal" || typeof source.value !== "string") {
        return;
      }
      const message = importProblem(file, source.value);
      if (message) context.report({ node: source, message });
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
    };
  },
};

const portable: Deno.lint.Rule = {
  create(context) {
    if (!isPortable(relative(context.filename))) return {};
    return {
      Identifier(node): void {
        if (node.name !== "Deno") return;
        context.report({
          node,
          message:
            "Deno is only there for src/cli: this file has to run in a browser",
        });
      },
    };
  },
};

const noConsole: Deno.lint.Rule = {
  create(context) {
    if (!isShipped(relative(context.filename))) return {};
    return {
      "MemberExpression[object.name='console']"(node: Deno.lint.Node): void {
        context.report({
          node,
          message:
            "Published code does not write to the console: return it, throw it, or use the program's Terminal",
        });
      },
    };
  },
};

const fileLength: Deno.lint.Rule = {
  create(context) {
    return {
      Program(node): void {
        const lines = countLines(context.sourceCode.text);
        const message = lengthProblem(lines);
        if (message) context.report({ node, message });
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "patchcore",
  rules: {
    "import-direction": importDirection,
    "portable": portable,
    "no-console": noConsole,
    "file-length": fileLength,
  },
};

export default plugin;
