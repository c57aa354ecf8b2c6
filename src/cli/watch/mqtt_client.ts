/**
 * What is used of the library mqtt: the only file that names its version, loaded
 * when a broker is asked for.
 *
 * @module
 */
// @ts-types="./mqtt_client.d.ts"
export { connect, connectAsync } from "npm:mqtt@5.16.0";
