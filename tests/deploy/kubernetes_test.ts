/** The manifests against Kubernetes' own schemas, and against each other. */
import { assert, assertEquals } from "@std/assert";
import { parseAllDocuments } from "yaml";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { Job } from "kubernetes-models/batch/v1/Job";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { PersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim";
import { Service } from "kubernetes-models/v1/Service";

const BASE = new URL("../../deploy/kubernetes/base/", import.meta.url);

/** A resource as its manifest has it. */
// deno-lint-ignore no-explicit-any
type Resource = Record<string, any>;

/** Checks a resource against the schema of its kind. */
const SCHEMAS: Readonly<Record<string, (resource: Resource) => void>> = {
  Deployment: (resource) => new Deployment(resource as never).validate(),
  HorizontalPodAutoscaler: (resource) =>
    new HorizontalPodAutoscaler(resource as never).validate(),
  Job: (resource) => new Job(resource as never).validate(),
  PodDisruptionBudget: (resource) =>
    new PodDisruptionBudget(resource as never).validate(),
  PersistentVolumeClaim: (resource) =>
    new PersistentVolumeClaim(resource as never).validate(),
  Service: (resource) => new Service(resource as never).validate(),
};

async function documents(file: string): Promise<Resource[]> {
  const text = await Deno.readTextFile(new URL(file, BASE));
  return parseAllDocuments(text).map((document) => {
    assertEquals(document.errors, []);
    return document.toJS() as Resource;
  });
}

const [kustomization] = await documents("kustomization.yaml");
const resources = new Map<string, Resource[]>();
for (const file of kustomization!["resources"] as string[]) {
  resources.set(file, await documents(file));
}
const all = [...resources].flatMap(([file, own]) =>
  own.map((resource) => ({ file, resource }))
);

for (const { file, resource } of all) {
  const { kind, metadata, apiVersion } = resource;
  Deno.test(`${file}: ${kind} ${metadata.name} fits Kubernetes' schema`, () => {
    const check = SCHEMAS[kind as string];
    assert(check !== undefined, `there is no schema of ${kind}`);
    check(resource);
    assert(apiVersion !== undefined);
  });
}

Deno.test("the schemas refuse what is misspelt", () => {
  const [job] = resources.get("fit.yaml")!;
  const wrong = structuredClone(job!);
  wrong["spec"].completions = "four";
  let message = "";
  try {
    SCHEMAS["Job"]!(wrong);
  } catch (error) {
    message = (error as Error).message;
  }
  assert(/completions/.test(message), message);
});

Deno.test("every file of the base is in its kustomization", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(BASE)) {
    if (name !== "kustomization.yaml") files.push(name);
  }
  assertEquals(files.sort(), [...kustomization!["resources"]].sort());
  assertEquals(kustomization!["images"][0].name, "patchcore");
});

/** The containers of a workload, those that run first included. */
function containersOf(resource: Resource): Resource[] {
  const pod = resource["spec"]?.template?.spec;
  return [...pod?.initContainers ?? [], ...pod?.containers ?? []];
}

Deno.test("no container may write its root, or has rights", () => {
  const containers = all.flatMap(({ resource }) => containersOf(resource));
  assertEquals(containers.length, 4);
  for (const { securityContext, image, resources } of containers) {
    assertEquals(image, "patchcore");
    assertEquals(securityContext.readOnlyRootFilesystem, true);
    assertEquals(securityContext.allowPrivilegeEscalation, false);
    assertEquals(securityContext.capabilities.drop, ["ALL"]);
    assert(resources.requests.memory && resources.limits.memory);
  }
  for (const { resource } of all) {
    const pod = resource["spec"].template?.spec;
    if (pod === undefined) continue;
    assertEquals(pod.securityContext.runAsNonRoot, true);
    assertEquals(pod.automountServiceAccountToken, false);
  }
});

Deno.test("fit and merge are of as many parts", () => {
  const [fit] = resources.get("fit.yaml")!;
  const { completions, completionMode } = fit!["spec"];
  assertEquals(completionMode, "Indexed");
  const [{ env }] = containersOf(fit!) as [Resource];
  const variable = env.find(({ name }: Resource) => name === "COMPLETIONS");
  assertEquals(variable.value, String(completions));
  const [merge] = resources.get("merge.yaml")!;
  const [waiting, merging] = containersOf(merge!);
  assert(waiting!["command"].join(" ").includes(`-ge ${completions} ]`));
  assert(merging!["args"].join(" ").includes(`--expect ${completions} `));
});

Deno.test("probes ask what serve answers, for a port that it has", () => {
  const [serve] = resources.get("serve.yaml")!;
  const [container] = containersOf(serve!) as [Resource];
  const { ports, startupProbe, readinessProbe, livenessProbe } = container;
  assertEquals(ports[0], { name: "http", containerPort: 8080 });
  for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
    assertEquals(httpGet, { path: "/health", port: "http" });
  }
  const grace = serve!["spec"].template.spec.terminationGracePeriodSeconds;
  assert(grace > 30, "longer than serve's --timeout");
});
