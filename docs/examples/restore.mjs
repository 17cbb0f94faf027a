// Restores the payloads of a klvrelay output to full records: JSON, CBOR, KLV and compact (docs/formats.md).
// One file without dependencies, for browsers and Node 18 or later:
//
//   const restorer = new Restorer();
//   for (const record of restorer.restore(payload, { stream: "uav1" })) console.log(record.items.sensor_latitude);
//
// A record restored from KLV or compact has the items of ST 0601 that are numbers, texts or labels in `items`, and
// the bytes of all items in `codes` (tag -> array of Uint8Array; in EG 0104, whose `set` is its key as KLV has it, the
// key of each item in hexadecimal digits -> array). Integers beyond 2^53 - 1 are strings.

// ST 0601: tag, key, kind (u, i: linear; p: IMAPB; n, s: integer; t: text; e: label), bytes, range
export const ITEMS = [
  [3, "mission_id", "t"],
  [4, "platform_tail_number", "t"],
  [5, "platform_heading_angle", "u", 2, 2, 0, 360],
  [6, "platform_pitch_angle", "i", 2, 2, -20, 20],
  [7, "platform_roll_angle", "i", 2, 2, -50, 50],
  [8, "platform_true_airspeed", "n"],
  [9, "platform_indicated_airspeed", "n"],
  [10, "platform_designation", "t"],
  [11, "image_source_sensor", "t"],
  [12, "image_coordinate_system", "t"],
  [13, "sensor_latitude", "i", 4, 4, -90, 90],
  [14, "sensor_longitude", "i", 4, 4, -180, 180],
  [15, "sensor_true_altitude", "u", 2, 2, -900, 19000],
  [16, "sensor_horizontal_field_of_view", "u", 2, 2, 0, 180],
  [17, "sensor_vertical_field_of_view", "u", 2, 2, 0, 180],
  [18, "sensor_relative_azimuth_angle", "u", 4, 4, 0, 360],
  [19, "sensor_relative_elevation_angle", "i", 4, 4, -180, 180],
  [20, "sensor_relative_roll_angle", "u", 4, 4, 0, 360],
  [21, "slant_range", "u", 4, 4, 0, 5000000],
  [22, "target_width", "u", 2, 2, 0, 10000],
  [23, "frame_center_latitude", "i", 4, 4, -90, 90],
  [24, "frame_center_longitude", "i", 4, 4, -180, 180],
  [25, "frame_center_elevation", "u", 2, 2, -900, 19000],
  [26, "offset_corner_latitude_point_1", "i", 2, 2, -0.075, 0.075],
  [27, "offset_corner_longitude_point_1", "i", 2, 2, -0.075, 0.075],
  [28, "offset_corner_latitude_point_2", "i", 2, 2, -0.075, 0.075],
  [29, "offset_corner_longitude_point_2", "i", 2, 2, -0.075, 0.075],
  [30, "offset_corner_latitude_point_3", "i", 2, 2, -0.075, 0.075],
  [31, "offset_corner_longitude_point_3", "i", 2, 2, -0.075, 0.075],
  [32, "offset_corner_latitude_point_4", "i", 2, 2, -0.075, 0.075],
  [33, "offset_corner_longitude_point_4", "i", 2, 2, -0.075, 0.075],
  [34, "icing_detected", "e", { 0: "Detector off", 1: "No icing detected", 2: "Icing detected" }],
  [35, "wind_direction", "u", 2, 2, 0, 360],
  [36, "wind_speed", "u", 1, 1, 0, 100],
  [37, "static_pressure", "u", 2, 2, 0, 5000],
  [38, "density_altitude", "u", 2, 2, -900, 19000],
  [39, "outside_air_temperature", "s"],
  [40, "target_location_latitude", "i", 4, 4, -90, 90],
  [41, "target_location_longitude", "i", 4, 4, -180, 180],
  [42, "target_location_elevation", "u", 2, 2, -900, 19000],
  [43, "target_track_gate_width", "u", 1, 1, 0, 510],
  [44, "target_track_gate_height", "u", 1, 1, 0, 510],
  [45, "target_error_estimate_ce90", "u", 2, 2, 0, 4095],
  [46, "target_error_estimate_le90", "u", 2, 2, 0, 4095],
  [49, "differential_pressure", "u", 2, 2, 0, 5000],
  [50, "platform_angle_of_attack", "i", 2, 2, -20, 20],
  [51, "platform_vertical_speed", "i", 2, 2, -180, 180],
  [52, "platform_sideslip_angle", "i", 2, 2, -20, 20],
  [53, "airfield_barometric_pressure", "u", 2, 2, 0, 5000],
  [54, "airfield_elevation", "u", 2, 2, -900, 19000],
  [55, "relative_humidity", "u", 1, 1, 0, 100],
  [56, "platform_ground_speed", "n"],
  [57, "ground_range", "u", 4, 4, 0, 5000000],
  [58, "platform_fuel_remaining", "u", 2, 2, 0, 10000],
  [59, "platform_call_sign", "t"],
  [60, "weapon_load", "n"],
  [61, "weapon_fired", "n"],
  [62, "laser_prf_code", "n"],
  [63, "sensor_field_of_view_name", "e", { 0: "Ultranarrow", 1: "Narrow", 2: "Medium", 3: "Wide", 4: "Ultrawide", 5: "Narrow Medium", 6: "2x Ultranarrow", 7: "4x Ultranarrow", 8: "Continuous Zoom" }],
  [64, "platform_magnetic_heading", "u", 2, 2, 0, 360],
  [67, "alternate_platform_latitude", "i", 4, 4, -90, 90],
  [68, "alternate_platform_longitude", "i", 4, 4, -180, 180],
  [69, "alternate_platform_altitude", "u", 2, 2, -900, 19000],
  [70, "alternate_platform_name", "t"],
  [71, "alternate_platform_heading", "u", 2, 2, 0, 360],
  [72, "event_start_time", "n"],
  [75, "sensor_ellipsoid_height", "u", 2, 2, -900, 19000],
  [76, "alternate_platform_ellipsoid_height", "u", 2, 2, -900, 19000],
  [77, "operational_mode", "e", { 0: "Other", 1: "Operational", 2: "Training", 3: "Exercise", 4: "Maintenance", 5: "Test" }],
  [78, "frame_center_height_above_ellipsoid", "u", 2, 2, -900, 19000],
  [79, "sensor_north_velocity", "i", 2, 2, -327, 327],
  [80, "sensor_east_velocity", "i", 2, 2, -327, 327],
  [82, "corner_latitude_point_1_full", "i", 4, 4, -90, 90],
  [83, "corner_longitude_point_1_full", "i", 4, 4, -180, 180],
  [84, "corner_latitude_point_2_full", "i", 4, 4, -90, 90],
  [85, "corner_longitude_point_2_full", "i", 4, 4, -180, 180],
  [86, "corner_latitude_point_3_full", "i", 4, 4, -90, 90],
  [87, "corner_longitude_point_3_full", "i", 4, 4, -180, 180],
  [88, "corner_latitude_point_4_full", "i", 4, 4, -90, 90],
  [89, "corner_longitude_point_4_full", "i", 4, 4, -180, 180],
  [90, "platform_pitch_angle_full", "i", 4, 4, -90, 90],
  [91, "platform_roll_angle_full", "i", 4, 4, -90, 90],
  [92, "platform_angle_of_attack_full", "i", 4, 4, -90, 90],
  [93, "platform_sideslip_angle_full", "i", 4, 4, -180, 180],
  [96, "target_width_extended", "p", 1, 8, 0, 1500000],
  [103, "density_altitude_extended", "p", 1, 8, -900, 40000],
  [104, "sensor_ellipsoid_height_extended", "p", 1, 8, -900, 40000],
  [105, "alternate_platform_ellipsoid_height_extended", "p", 1, 8, -900, 40000],
  [106, "stream_designator", "t"],
  [107, "operational_base", "t"],
  [108, "broadcast_source", "t"],
  [109, "range_to_recovery_location", "p", 1, 4, 0, 21000],
  [110, "time_airborne", "n"],
  [111, "propulsion_unit_speed", "n"],
  [112, "platform_course_angle", "p", 1, 8, 0, 360],
  [113, "altitude_agl", "p", 1, 4, -900, 40000],
  [114, "radar_altimeter", "p", 1, 4, -900, 40000],
  [117, "sensor_azimuth_rate", "p", 1, 4, -1000, 1000],
  [118, "sensor_elevation_rate", "p", 1, 4, -1000, 1000],
  [119, "sensor_roll_rate", "p", 1, 4, -1000, 1000],
  [120, "on_board_mi_storage_percent_full", "p", 1, 3, 0, 100],
  [123, "number_of_navsats_in_view", "n"],
  [125, "platform_status", "e", { 0: "Active", 1: "Pre-flight", 2: "Pre-flight-taxiing", 3: "Run-up", 4: "Take-off", 5: "Ingress", 6: "Manual operation", 7: "Automated-orbit", 8: "Transitioning", 9: "Egress", 10: "Landing", 11: "Landed-taxiing", 12: "Landed-Parked" }],
  [126, "sensor_control_mode", "e", { 0: "Off", 1: "Home Position", 2: "Uncontrolled", 3: "Manual Control", 4: "Calibrating", 5: "Auto - Holding Position", 6: "Auto - Tracking" }],
  [129, "target_id", "t"],
  [131, "take_off_time", "n"],
  [132, "transmission_frequency", "p", 1, 4, 1, 99999],
  [133, "on_board_mi_storage_capacity", "n"],
  [134, "zoom_percentage", "p", 1, 4, 0, 100],
  [135, "communications_method", "t"],
  [136, "leap_seconds", "s"],
  [137, "correction_offset", "s"],
];

const DEPTH_MOST = 64;
const STREAMS_MOST = 1000;
const SETS_MOST = 16;
const CONTENT_MOST = 65536;
const RECENT_MOST = 64;
const RECORDS_MOST = 10000;
const ST0601 = "060e2b34020b01010e01030101000000";
const TIME = 2;
const VERSION = 65;
const VERSION_KEY = "uas_datalink_ls_version_number";
const CHECKSUM = 1;
const UNIVERSAL_TIME = "060e2b34010101030702010101050000";
const TIME_TAGS = { [ST0601]: 2, "060e2b34020b01010e01030306000000": 2, "060e2b34020b01010e01030102000000": 2 };

const hex = (bytes) => Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("");
const unsigned = (bytes) => bytes.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
const safe = (big) => (big >= -(2n ** 53n) + 1n && big < 2n ** 53n ? Number(big) : String(big));
const text = new TextDecoder("utf-8", { ignoreBOM: true });

// ---- CBOR (RFC 8949): the types of JSON, and byte strings ----

class Cbor {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = 0;
  }

  take(count) {
    if (count > this.bytes.length - this.at) throw new Error("CBOR ends within a value");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  breaks() {
    if (this.at >= this.bytes.length) throw new Error("CBOR ends within a value");
    if (this.bytes[this.at] !== 0xff) return false;
    this.at += 1;
    return true;
  }

  value(depth = DEPTH_MOST) {
    const first = this.take(1)[0];
    const major = first >> 5;
    const low = first & 31;
    if (major === 7) return this.simple(low);
    if (low === 31) return this.indefinite(major, depth);
    const big = low < 24 ? BigInt(low) : low < 28 ? unsigned(this.take(1 << (low - 24))) : null;
    if (big === null || major === 6) throw new Error("CBOR with a tag or a reserved length");
    if (major < 2) return safe(major ? -1n - big : big);
    const count = Number(big);
    if (major === 2) return this.take(count);
    if (major === 3) return text.decode(this.take(count));
    if (!depth || count > this.bytes.length - this.at) throw new Error("CBOR that is too deep or too long");
    const found = [];
    for (let n = 0; n < count; n++) found.push(this.element(major, depth));
    return major === 4 ? found : new Map(found);
  }

  element(major, depth) {
    return major === 4 ? this.value(depth - 1) : [this.value(0), this.value(depth - 1)];
  }

  simple(low) {
    if (low >= 20 && low <= 23) return [false, true, null, null][low - 20];
    if (low < 25 || low > 27) throw new Error("CBOR with an unknown simple value");
    const size = 1 << (low - 24);
    const at = this.at;
    this.take(size);
    if (size === 2) return half(this.view.getUint16(at));
    return size === 4 ? this.view.getFloat32(at) : this.view.getFloat64(at);
  }

  indefinite(major, depth) {
    if (!depth || major < 3 || major > 5) throw new Error("CBOR that is too deep, or with a reserved length");
    const found = [];
    while (!this.breaks()) found.push(major === 3 ? this.value(0) : this.element(major, depth));
    return major === 3 ? found.join("") : major === 4 ? found : new Map(found);
  }
}

function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 31 ? (fraction ? NaN : Infinity)
    : exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
  return bits & 0x8000 ? -size : size;
}

function asObject(value) {
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, inner]) => [key, asObject(inner)]));
  return Array.isArray(value) ? value.map(asObject) : value;
}

// ---- KLV (SMPTE ST 336) ----

function berLength(bytes, at) {
  const first = bytes[at];
  if (first === undefined || first === 0x80 || first > 0x88) throw new Error("KLV that is cut");
  if (first < 0x80) return [first, at + 1];
  const end = at + 1 + (first & 127);
  if (end > bytes.length) throw new Error("KLV that is cut");
  return [Number(unsigned(bytes.subarray(at + 1, end))), end];
}

function* packetsOf(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const [size, value] = berLength(bytes, at + 16);
    if (hex(bytes.subarray(at, at + 4)) !== "060e2b34" || size > bytes.length - value) throw new Error("not KLV");
    yield [hex(bytes.subarray(at, at + 16)), bytes.subarray(value, value + size)];
    at = value + size;
  }
}

function codesOf(value) {
  const codes = new Map();
  for (let at = 0; at < value.length; ) {
    let tag = 0;
    do tag = tag * 128 + (value[at] & 127);
    while (value[at++] > 127 && at < value.length);
    const [size, start] = berLength(value, at);
    at = start + size;
    if (at > value.length) throw new Error("KLV that is cut");
    codes.set(tag, [...(codes.get(tag) ?? []), value.slice(start, at)]);
  }
  return codes;
}

// The items of a universal set (EG 0104) have whole keys.
function universalCodesOf(value) {
  const codes = new Map();
  for (let at = 0; at < value.length; ) {
    const [size, start] = berLength(value, at + 16);
    const key = hex(value.subarray(at, at + 16));
    at = start + size;
    if (at > value.length) throw new Error("KLV that is cut");
    codes.set(key, [...(codes.get(key) ?? []), value.slice(start, at)]);
  }
  return codes;
}

const isLocal = (key) => ["0203", "020b"].includes(key.slice(8, 12));
const isUniversal = (key) => key.slice(8, 12) === "0201";

// The items of a packet; none if it is no set.
function contentOf(key, value) {
  return isLocal(key) ? codesOf(value) : isUniversal(key) ? universalCodesOf(value) : new Map();
}

function valueOf([, , kind, least, most, min, max], code) {
  const size = code.length;
  if (!size) return null;
  if (kind === "t") return text.decode(code).replace(/\0+$/, "");
  const number = unsigned(code);
  if (kind === "e") return least[number] ?? safe(number);
  if (kind === "n") return safe(number);
  if (kind === "s") return safe(BigInt.asIntN(8 * size, number));
  if (size < least || size > most) return undefined;
  const top = 2 ** (8 * size - 1);
  if (kind === "u") return min + (Number(number) * (max - min)) / (2 * top - 1);
  if (kind === "i") return Number(number) === top ? null
    : (Number(BigInt.asIntN(8 * size, number)) * (max - min)) / (2 * top - 2);
  if (Number(number) > top) return null; // a special value of IMAPB (ST 1201)
  const scale = 2 ** (Math.ceil(Math.log2(max - min)) - (8 * size - 1));
  const offset = min < 0 && max > 0 ? min / scale - Math.floor(min / scale) : 0;
  return scale * (Number(number) - offset) + min;
}

function itemsOf(codes) {
  const items = {};
  for (const row of ITEMS) {
    const sent = codes.get(row[0]);
    const value = sent && valueOf(row, sent[sent.length - 1]);
    if (value !== undefined) items[row[1]] = value;
  }
  return items;
}

function date(us) {
  const number = Number(us);
  if (us === null || number > 253402300799999999) return null;
  const milliseconds = new Date(Math.floor(number / 1000)).toISOString();
  return milliseconds.slice(0, -1) + String(number % 1000).padStart(3, "0") + "Z";
}

function recordOf(stream, seq, [boot, key, received, pts, pid, program], codes) {
  const is0601 = key === ST0601;
  const time = codes.get(TIME_TAGS[key] ?? UNIVERSAL_TIME)?.[0];
  const time_us = time?.length === 8 ? safe(unsigned(time)) : null;
  return {
    schema: "klvrelay/1", stream, boot, seq, received: date(received), time: date(time_us), time_us, pts, pid, program,
    set: is0601 ? "ST0601" : key, version: is0601 ? codes.get(VERSION)?.[0]?.[0] ?? null : null,
    items: is0601 ? itemsOf(codes) : {}, codes,
  };
}

// ---- what is known of a stream ----

class Known {
  constructor() {
    this.boot = null;
    this.count = 0;
    this.clear();
  }

  clear() {
    this.last = -1;
    this.sets = new Map();
    this.recent = [];
  }

  begin(boot, seq) {
    if (boot !== this.boot) this.clear();
    this.boot = boot;
    this.last = seq;
  }

  put(key, seq, content, size) {
    this.sets.delete(key);
    if (size <= CONTENT_MOST) this.sets.set(key, { seq, content });
    if (this.sets.size > SETS_MOST) this.sets.delete(this.sets.keys().next().value);
  }

  // The set that a partial record continues. One older than the last that is no copy is of a run whose start was lost.
  find(key, seq, after, mark) {
    if (seq <= this.last) {
      if (!this.recent.includes(mark)) this.clear();
      return undefined;
    }
    const known = this.sets.get(key);
    if (known?.seq !== after) return undefined;
    this.recent = [...this.recent.slice(1 - RECENT_MOST), mark];
    this.last = seq;
    return known.content;
  }
}

const sizeOf = (codes) => Array.from(codes.values()).flat().reduce((sum, code) => sum + code.length + 64, 0);

export class Restorer {
  // decompress: (Uint8Array) => Uint8Array, for zstd; it knows the dictionary
  constructor({ decompress } = {}) {
    this.decompress = decompress;
    this.streams = new Map();
    this.skipped = 0; // partial records whose full record is not known
  }

  // The full records of one message. `format`: json, cbor, klv, compact or a content type; else it is recognised.
  restore(payload, { stream = "", format } = {}) {
    let bytes = new Uint8Array(payload.buffer ?? payload, payload.byteOffset ?? 0, payload.byteLength);
    if (hex(bytes.subarray(0, 4)) === "28b52ffd") {
      if (!this.decompress) throw new Error("the payload is compressed with zstd: new Restorer({ decompress })");
      bytes = this.decompress(bytes);
    }
    const form = formatOf(bytes, format);
    const known = this.known(`${form} ${stream}`);
    const found = READERS[form](bytes, stream, known);
    const restored = found.filter((record) => record !== undefined);
    this.skipped += found.length - restored.length;
    return restored;
  }

  known(name) {
    const known = this.streams.get(name) ?? new Known();
    this.streams.delete(name);
    this.streams.set(name, known);
    if (this.streams.size > STREAMS_MOST) this.streams.delete(this.streams.keys().next().value);
    return known;
  }
}

function formatOf(bytes, format = "") {
  const named = Object.entries({ compact: "compact", klv: "smpte336m", cbor: "cbor", json: "json" });
  for (const [form, part] of named) if (format === form || format.includes(part)) return form;
  const first = bytes[0];
  if (format) throw new Error(`unknown format ${format}`);
  if (first === 0x06) return "klv";
  if (first >= 0x81 && first <= 0x9b && (first > 0x97 || bytes[2] < 0x40)) return "compact";
  if (first >= 0xa0 && first <= 0xbf) return "cbor";
  if (first === 0x7b || first === 0x0a || first === 0x20) return "json";
  throw new Error("the format of the payload is not known");
}

const READERS = {
  json: (bytes, stream, known) => {
    const lines = text.decode(bytes).split("\n").filter((line) => line.trim());
    return lines.map((line) => restoreDocument(JSON.parse(line), known));
  },
  cbor: (bytes, stream, known) => {
    const found = [];
    const reader = new Cbor(bytes);
    while (reader.at < bytes.length) found.push(restoreDocument(asObject(reader.value()), known));
    return found;
  },
  klv: (bytes, stream, known) =>
    Array.from(packetsOf(bytes), ([key, value]) => restorePacket(key, value, stream, known)),
  compact: restoreCompact,
};

function restorePacket(key, value, stream, known) {
  const seq = known.count++;
  let codes = contentOf(key, value);
  if (key === ST0601) {
    if (!codes.has(VERSION)) {
      const before = known.sets.get(key)?.content;
      if (!before) return undefined;
      codes = new Map([...[...before].filter(([tag]) => tag !== TIME), ...codes]);
      for (const [tag, sent] of codes) if (sent.length === 1 && !sent[0].length) codes.delete(tag);
    }
    codes.delete(CHECKSUM);
    known.put(key, seq, codes, sizeOf(codes));
  }
  return recordOf(stream, seq, [null, key, null, null, null, null], new Map(codes));
}

function restoreCompact(bytes, stream, known) {
  const reader = new Cbor(bytes);
  const first = reader.take(1)[0];
  const count = first < 0x98 ? first & 31 : Number(unsigned(reader.take(1 << (first - 0x98))));
  if (first < 0x81 || first > 0x9b || count > RECORDS_MOST) throw new Error("not compact");
  const found = [];
  for (let n = 0, seq = 0; n < count; n++) {
    const start = reader.at;
    const entry = reader.value(4);
    if (!(entry instanceof Map) || typeof entry.get(0) !== "number") throw new Error("not compact");
    seq += entry.get(0);
    found.push(restoreEntry(entry, seq, bytes.subarray(start, reader.at).join(), stream, known));
  }
  return found;
}

function restoreEntry(entry, seq, mark, stream, known) {
  let head = entry.get(-1);
  let before = new Map();
  if (head) {
    head = [head[0], head[1] ? hex(head[1]) : ST0601, ...head.slice(2)];
    known.begin(head[0], seq);
    if (entry.has(-3)) {
      const [[key, value]] = packetsOf(entry.get(-3));
      const codes = contentOf(key, value);
      codes.delete(CHECKSUM);
      known.put(key, seq, { head, codes: isLocal(key) ? codes : new Map() }, sizeOf(codes));
      return recordOf(stream, seq, head, new Map(codes));
    }
  } else {
    const key = entry.has(-4) ? hex(entry.get(-4)) : ST0601;
    const state = known.find(key, seq, seq - (entry.get(-5) ?? 1), `${seq}:${mark}`);
    if (!state) return undefined;
    ({ head, codes: before } = state);
    head = [head[0], head[1], null, null, head[4], head[5]];
  }
  const codes = new Map(before);
  codes.delete(TIME_TAGS[head[1]]); // each record has its own
  for (const [tag, value] of entry) {
    if (tag <= 0) continue;
    if (typeof value === "number") codes.set(tag, [later(before.get(tag)?.[0], value)]);
    else codes.set(tag, Array.isArray(value) ? value.map(copy) : [copy(value)]);
  }
  for (const tag of entry.get(-2) ?? []) codes.delete(tag);
  known.put(head[1], seq, { head, codes }, sizeOf(codes));
  return recordOf(stream, seq, head, new Map(codes));
}

function copy(code) {
  if (!(code instanceof Uint8Array)) throw new Error("not compact: the code of an item is not bytes");
  return code.slice();
}

function later(time, elapsed) {
  if (time?.length !== 8) throw new Error("a time after one that is not known");
  const found = new Uint8Array(8);
  new DataView(found.buffer).setBigUint64(0, unsigned(time) + BigInt(elapsed));
  return found;
}

function restoreDocument(document, known) {
  const { full, removed = [], after = document.seq - 1, ...record } = document;
  if (full === undefined) return document;
  if (full) {
    known.begin(record.boot, record.seq);
  } else {
    const found = record.boot === known.boot && known.find(record.set, record.seq, after, JSON.stringify(document));
    if (!found) return undefined;
    continueRecord(record, found, removed);
  }
  const { items, version, quality } = record;
  const content = JSON.stringify({ items, version, special: quality?.special ?? {} });
  known.put(record.set, record.seq, content, content.length);
  return record;
}

function continueRecord(record, content, removed) {
  const { items, special, version } = JSON.parse(content);
  const { unknown = {}, ...changed } = record.items;
  const codes = { ...items.unknown, ...unknown };
  const merged = { ...items, ...changed, unknown: codes };
  for (const key of removed) {
    if (key.startsWith("unknown.")) delete codes[key.slice(8)];
    else delete merged[key];
  }
  if (!Object.keys(codes).length) delete merged.unknown;
  const kept = Object.entries(special).filter(([path]) => {
    const key = path.split(/[.[]/, 1)[0];
    return !(key in changed) && !removed.includes(key);
  });
  const all = { ...Object.fromEntries(kept), ...record.quality?.special };
  record.items = merged;
  if (!removed.includes(VERSION_KEY)) record.version ??= version;
  if (Object.keys(all).length) record.quality = { ...record.quality, special: all };
}
