/**
 * Reports: one HTML file that shows what was found, and why.
 *
 * @module
 */
export { type ReportCurve } from "./curves.ts";
export { imageCurves, pixelCurves } from "./curves.ts";
export { type ReportFacts, type ReportTable } from "./facts.ts";
export { type FitFacts, type FittedTail, renderFitReport } from "./fit_page.ts";
export { type ReadTraining } from "./pictures.ts";
export { Report, type ReportOptions } from "./report.ts";
export { shareInWords } from "./share.ts";
export { type ReportRow, type ReportTruth, worstFirst } from "./row.ts";
