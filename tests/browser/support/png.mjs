// A picture of an X display as PNG, with no tool but zlib.
import { deflateSync, gzipSync } from 'node:zlib';

// XWD, version 7 (X11/XWDFile.h): 25 words, a name, the colours of 12 bytes each, then the lines.
const HEADER_SIZE = 0, WIDTH = 4, HEIGHT = 5, BITS_PER_PIXEL = 11, BYTES_PER_LINE = 12, COLOURS = 19;

/** The part `rect` of a display with 32 bits a pixel, as blue, green, red, nothing. */
export function pngOfXwd(xwd, rect) {
  const word = (index) => xwd.readUInt32BE(index * 4);
  if (word(BITS_PER_PIXEL) !== 32) throw new Error(`a display of ${word(BITS_PER_PIXEL)} bits a pixel`);
  const pixels = word(HEADER_SIZE) + word(COLOURS) * 12;
  const width = Math.min(rect.width, word(WIDTH) - rect.x);
  const height = Math.min(rect.height, word(HEIGHT) - rect.y);
  const lines = Buffer.alloc(height * (1 + width * 3));
  let out = 0;
  for (let y = 0; y < height; ++y) {
    let at = pixels + (rect.y + y) * word(BYTES_PER_LINE) + rect.x * 4;
    out += 1;  // the line's filter: none
    for (let x = 0; x < width; ++x, at += 4) {
      lines[out++] = xwd[at + 2];
      lines[out++] = xwd[at + 1];
      lines[out++] = xwd[at];
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);  // 8 bits each of red, green and blue
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))]);
}

// A gzip file ends with the CRC-32 and the length of what it holds (RFC 1952); Node 18 has it nowhere else.
function crc32(bytes) {
  const file = gzipSync(bytes, { level: 1 });
  return file.readUInt32LE(file.length - 8);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
