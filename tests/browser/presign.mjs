// URLs presigned with AWS Signature Version 4 and the default key pair of stuntdouble, which an attacker knows
// too.

import { createHash, createHmac } from "node:crypto";

const KEY_ID = "STUNTDOUBLEACCESSKEY";
const SECRET = "stuntdouble/secret/access/key/for/tests";
const REGION = "us-east-1";

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

/** Returns a URL that allows `method` on an object for an hour. */
export function presign(method, origin, bucket, key) {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const day = date.slice(0, 8);
  const scope = `${day}/${REGION}/s3/aws4_request`;
  const path = `/_s3/${bucket}/${key}`;
  const query = [
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["X-Amz-Credential", `${KEY_ID}/${scope}`],
    ["X-Amz-Date", date],
    ["X-Amz-Expires", "3600"],
    ["X-Amz-SignedHeaders", "host"],
  ].map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  const host = new URL(origin).host;
  const request = [method, path, query, `host:${host}\n`, "host", "UNSIGNED-PAYLOAD"].join("\n");
  const digest = createHash("sha256").update(request).digest("hex");
  const text = ["AWS4-HMAC-SHA256", date, scope, digest].join("\n");
  const secret = [day, REGION, "s3", "aws4_request"].reduce(hmac, `AWS4${SECRET}`);
  const signature = hmac(secret, text).toString("hex");
  return `${origin}${path}?${query}&X-Amz-Signature=${signature}`;
}
