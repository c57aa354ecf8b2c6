/** Settings as people read them: JSON, without the single pixels of a region. */
export function settingsText(settings: object): string {
  return JSON.stringify(
    settings,
    (key, value: unknown) =>
      key === "runs" && Array.isArray(value)
        ? `${value.length} runs of pixels`
        : value,
    2,
  );
}
