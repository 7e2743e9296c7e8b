// The protobuf descriptors of Depot's services as the real CLI carries them, so
// that field numbers are checked against the original and not against our own.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.TAPPET_NODE_PACKAGES}/`);
const { createFileRegistry, fromBinary } = require('@bufbuild/protobuf');
const { FileDescriptorProtoSchema, file_google_protobuf_timestamp } = require('@bufbuild/protobuf/wkt');

const CLI = `${process.env.TAPPET_NODE_PACKAGES}/node_modules/@depot/cli-linux-x64/bin/depot`;

/** Field 12 is `syntax`, which protoc writes last. */
const SYNTAX = 12;

/** The services of one file: `service(name)` gives what a client is made from. */
export function descriptors(path) {
  const program = readFileSync(CLI);
  const files = createFileRegistry(fileProto(program, path), (dependency) =>
    dependency === 'google/protobuf/timestamp.proto'
      ? file_google_protobuf_timestamp
      : fileProto(program, dependency),
  );
  return { service: (name) => files.getService(name) };
}

/** Go keeps each file's descriptor as one string: its name first, `syntax` last. */
function fileProto(program, path) {
  const start = program.indexOf(Buffer.concat([Buffer.from([0x0a, path.length]), Buffer.from(path), Buffer.from([0x12])]));
  if (start < 0) throw new Error(`the CLI has no ${path}`);
  let at = start;
  for (;;) {
    const tag = varint(program, at);
    const size = varint(program, tag.end);
    const isText = (tag.value & 7) === 2;
    at = isText ? size.end + size.value : size.end;
    if (tag.value >> 3 === SYNTAX) return fromBinary(FileDescriptorProtoSchema, program.subarray(start, at));
  }
}

function varint(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end: at };
  }
}
