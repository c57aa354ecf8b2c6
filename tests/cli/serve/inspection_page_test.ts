import { assertEquals, assertStringIncludes } from "@std/assert";
import { serveFiles } from "../../web/page_server.ts";
import { inspectionPage } from "../../../src/cli/serve/inspection_page.ts";

async function textAt(page: URL, path: string): Promise<string | undefined> {
  const file = await (await inspectionPage(page))(path);
  return file && new TextDecoder().decode(file.bytes);
}

Deno.test("inspectionPage() sends the page at / and marks it as a service's", async () => {
  const path = await Deno.makeTempFile({ suffix: ".html" });
  await Deno.writeTextFile(path, '<!DOCTYPE html>\n<html lang="en"></html>');
  const page = new URL(`file://${path}`);
  assertEquals(
    await textAt(page, "/"),
    '<!DOCTYPE html>\n<html data-service lang="en"></html>',
  );
  assertEquals(await textAt(page, "/other.html"), undefined);
  await Deno.remove(path);
});

Deno.test("inspectionPage() says how to build a page that is not there", async () => {
  const page = new URL("file:///nowhere/index.html");
  assertStringIncludes(await textAt(page, "/") ?? "", "deno task web");
});

Deno.test("inspectionPage() fetches the page of a package on a registry", async () => {
  await using registry = serveFiles({
    "index.html": '<html lang="en"></html>',
  });
  const at = (name: string) => new URL(name, registry.url);
  assertEquals(
    await textAt(at("index.html"), "/"),
    '<html data-service lang="en"></html>',
  );
  assertStringIncludes(
    await textAt(at("other.html"), "/") ?? "",
    `cannot be fetched from <code>${at("other.html")}</code>`,
  );
});
