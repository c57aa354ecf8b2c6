import type { NamedImage } from "../core/mod.ts";
import { attempt, element, make, onPress } from "./elements.ts";

/** What a camera view of the page does with pictures. */
interface CameraUse {
  /** Takes a picture; the next one of a live camera comes when it is done. */
  readonly take: (picture: NamedImage) => Promise<void>;
  /** What the button says that takes one, e.g. `Add picture`. */
  readonly action: string;
  /** What the box says that takes one after the other; none without it. */
  readonly live?: string;
}

/**
 * Lets a button open and close the camera below it.
 *
 * @param viewId Where the camera is shown.
 */
export function cameraView(
  buttonId: string,
  viewId: string,
  { take, action, live }: CameraUse,
): HTMLButtonElement {
  const view = element(viewId, HTMLElement);
  let taken = 0;
  let camera: Camera | undefined;
  let running = false;
  const close = (): void => {
    running = false;
    camera?.stop();
    camera = undefined;
    view.hidden = true;
    view.replaceChildren();
    button.setAttribute("aria-expanded", "false");
  };
  const takeOne = async (name: string): Promise<void> => {
    if (camera !== undefined) await take(camera.picture(name));
  };
  const open = async (): Promise<void> => {
    camera = await Camera.open();
    const trigger = make("button", { type: "button", textContent: action });
    trigger.addEventListener(
      "click",
      () => void attempt(() => takeOne(`camera ${++taken}`)),
    );
    const row = make("div", { className: "row" }, trigger);
    if (live !== undefined) {
      const box = make("input", { type: "checkbox" });
      box.addEventListener("change", () => {
        running = box.checked;
        void attempt(async () => {
          while (running) await takeOne("camera");
        });
      });
      row.append(make("label", { className: "check" }, box, live));
    }
    view.replaceChildren(camera.video, row);
    view.hidden = false;
    button.setAttribute("aria-expanded", "true");
    trigger.focus();
  };
  const button = onPress(buttonId, () => view.hidden ? open() : close());
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-controls", viewId);
  return button;
}

/** An open camera. */
class Camera {
  /** Shows what it sees. */
  readonly video: HTMLVideoElement;
  readonly #stream: MediaStream;

  private constructor(video: HTMLVideoElement, stream: MediaStream) {
    this.video = video;
    this.#stream = stream;
  }

  /**
   * Opens the camera; the one at the back where there are two.
   *
   * @throws {Error} If there is none, or it is not allowed.
   */
  static async open(): Promise<Camera> {
    const stream = await request();
    const video = make("video", { muted: true, playsInline: true });
    video.setAttribute("aria-label", "What the camera sees");
    video.srcObject = stream;
    await video.play();
    return new Camera(video, stream);
  }

  /** What it sees now. */
  picture(name: string): NamedImage {
    const { videoWidth: width, videoHeight: height } = this.video;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d")!;
    context.drawImage(this.video, 0, 0);
    return { name, content: context.getImageData(0, 0, width, height) };
  }

  /** Switches it off. */
  stop(): void {
    for (const track of this.#stream.getTracks()) track.stop();
  }
}

async function request(): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined) {
    throw new Error(
      "Cannot use the camera: browsers give it only to pages from localhost or over HTTPS",
    );
  }
  try {
    return await navigator.mediaDevices.getUserMedia({
      video: { facingMode: { ideal: "environment" } },
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot use the camera (${reason}): allow it for this page, or choose pictures`,
      { cause },
    );
  }
}
