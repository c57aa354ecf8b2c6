/**
 * The camera in a page of one's own: pictures of good parts teach, then any
 * picture is inspected, all on the browser's WebGPU.
 *
 * ```sh
 * mkdir camera
 * cp examples/camera/index.html weights/demo.onnx camera
 * deno bundle --platform browser --output camera/camera.js examples/camera/main.ts
 * ```
 *
 * Serve the folder `camera` on localhost or over HTTPS: browsers give the camera
 * to such pages only.
 */
/// <reference lib="dom" />
import {
  type NamedImage,
  PatchCore,
  type Pixels,
} from "@patchcore/webgpu/core";

/** Pictures of good parts before the first fit; more make it better. */
const ENOUGH = 3;

const video = document.querySelector("video")!;
const canvas = document.querySelector("canvas")!;
const status = document.querySelector("[role=status]")!;
const [teach, inspect] = document.querySelectorAll("button");

/** The next picture of the camera, so that none is taken twice. */
async function picture(): Promise<Pixels> {
  await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  const { videoWidth: width, videoHeight: height } = video;
  const context = new OffscreenCanvas(width, height).getContext("2d")!;
  context.drawImage(video, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** Learns from one more good part. */
async function learn(detector: PatchCore, good: NamedImage[]): Promise<string> {
  good.push({ name: `good ${good.length + 1}`, content: await picture() });
  if (good.length < ENOUGH) {
    return `${good.length} of ${ENOUGH} good parts: move it a little, go on`;
  }
  await detector.fit(good);
  return `Fitted to ${good.length} good parts`;
}

/** Scores what the camera sees and frames its worst patch. */
async function look(detector: PatchCore): Promise<string> {
  const { width, height, data } = await picture();
  const [found] = await Array.fromAsync(
    detector.predict([{ name: "camera", content: { width, height, data } }]),
  );
  if (found === undefined) throw new Error("Cannot inspect the picture");
  const { label, normalizedScore, worstPatch } = found;
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d")!;
  context.putImageData(
    new ImageData(Uint8ClampedArray.from(data), width),
    0,
    0,
  );
  context.lineWidth = width / 160;
  context.strokeStyle = label === "normal" ? "#2e7d4f" : "#b3261e";
  const { x, y } = worstPatch;
  context.strokeRect(x, y, worstPatch.width, worstPatch.height);
  return normalizedScore === null
    ? "No verdict: pictures that are all alike make no threshold, take more"
    : `${label}: ${normalizedScore.toFixed(2)} × threshold`;
}

let busy = false;

/** Runs one step, unless another is running, and tells how it ended. */
async function attempt(work: () => Promise<string>): Promise<void> {
  if (busy) return;
  busy = true;
  status.textContent = "Working …";
  try {
    status.textContent = await work();
  } catch (error) {
    status.textContent = error instanceof Error ? error.message : String(error);
  }
  busy = false;
}

await attempt(async () => {
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  await video.play();
  const response = await fetch("demo.onnx");
  const detector = await PatchCore.create({
    backbone: { name: "demo", bytes: await response.bytes() },
    crop: null,
  });
  const good: NamedImage[] = [];
  teach!.addEventListener("click", () =>
    attempt(async () => {
      const message = await learn(detector, good);
      inspect!.disabled = good.length < ENOUGH;
      return message;
    }));
  inspect!.addEventListener("click", () => attempt(() => look(detector)));
  teach!.disabled = false;
  return "Show the camera a good part";
});
