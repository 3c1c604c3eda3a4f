"""Records FastAPI's responses to unusual JSON bodies in recorded_responses.tsv.

Each line has the escaped body, the status and the response body.

python3.11 -m venv v && v/bin/pip install fastapi==0.99.1 'pydantic<2' 'httpx<0.28' && v/bin/python record.py > recorded_responses.tsv
"""
import random
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

app = FastAPI()

class Query(BaseModel):
    id: str

@app.post("/query")
def query(sent: Query):
    return None

client = TestClient(app, raise_server_exceptions=False)
OK = '{"id":"x"%s}'
TEXTS = [
    # no value
    "", " ", "\n", "?", "<html>", "nul", "nulL", "tru", "True", "fals", "None", "undefined", "'x'", "\ufeff", "\u00a0{}", "\x00", "/**/{}",
    # other values than objects
    "null", "true", "false", "5", "-5", "0.5", '"x"', "[]", "[1,2]", "NaN", "Infinity", "-Infinity", "1e999", "123456789012345678901234567890",
    # after the value
    "{}x", "{} {}", "{},", "[]]", "null null", '{"id":"x"}\n\n}', OK % "" + "\x00", OK % "" + "\u00a0", OK % "" + " \t\r\n", "01", "1.", "1.e5", ".5", "+1", "1e", "1e+", "1E5x", "-", "--1", "-x", "-0", "-01", "1-", "0x10", "1_000", "١",
    "Inf", "Infinit", "-Infinit", "nan", "NaNa", "InfinityX",
    # objects
    "{", "{ ", "{\n", "{,", "{,}", "{}}", "{]", "{[", "{'id':1}", "{id:1}", "{1:2}", "{null:1}", '{"id"', '{"id" ', '{"id"}', '{"id",', '{"id"=1}', '{"id" "x"}', '{"id":', '{"id": ', '{"id":}', '{"id":,', '{"id":?}', '{"id":\'x\'}', '{"id":"x"', '{"id":"x" ', '{"id":"x"]', '{"id":"x";', '{"id":"x" "y"', '{"id":"x",', '{"id":"x", ', '{"id":"x",}', '{"id":"x",\n}', '{"id":"x",,', '{"id":"x",1', '{"id":"x":', '{"id"::"x"}', '{"id":"x"//c\n}', '{"id":"x","id":}', '{"id":"x","a":{"b":}}', '{"id":"x","a":{"b":1,}}', '{"id":"x","a":{"b" 1}}', '{"id":"x","a":{b:1}}',
    # arrays
    "[", "[ ", "[,", "[,]", "[1", "[1 ", "[1,", "[1, ", "[1,]", "[1,\n]", "[1 2]", "[1;2]", "[1}", "[[", "[[]", "[[],", "[{]", "[{}", '["', '["a', '["a"', '["a",', "[nul]", "[-]", "[1.]", "[1.,2]", OK % ',"a":[1,]', OK % ',"a":[1 2]', OK % ',"a":[', OK % ',"a":[[1,2],[3,]]',
    # strings
    '"', '"x', '"x\n"', '{"id":"', '{"id":"x', '{"id":"x\n"}', '{"id":"x\t"}', '{"id":"x\x00"}', '{"id":"x\x1f"}', '{"id":"x\x7f"}', '{"id\n":1}', '{"i', '{"', '{"id":"\\', '{"id":"\\"', '{"id":"\\"}', '{"id":"\\x"}', '{"id":"\\\'"}', '{"id":"\\8"}', '{"id":"a\\\n"}', '{"id":"é\\é"}', '{"id":"\\u"}', '{"id":"\\u1"}', '{"id":"\\u12"}', '{"id":"\\u123"}', '{"id":"\\u1234', '{"id":"\\u1234"', '{"id":"\\u1234"}', '{"id":"\\u123g"}', '{"id":"\\u 123"}', '{"id":"\\u+123"}', '{"id":"\\u12é4"}', '{"id":"\\U1234"}', '{"id":"\\ud800"}', '{"id":"\\udc00"}', '{"id":"\\ud83d\\ude00"}', '{"id":"\\ud83d\\ude0"}', '{"id":"\\ud83d\\ude0g"}', '{"id":"\\ud83d\\u"}', '{"id":"\\ud83d\\', '{"id":"\\ud83d\\u', '{"id":"\\ud83d\\ude00', '{"id":"\\ud83d\\x"}', '{"id":"\\ud83d\\n"}', '{"id":"\\ude00\\ud83d"}', '{"id":"\\b\\f\\n\\r\\t\\/\\\\"}',
    # positions
    '{\n"é": ?}', '{\r\n  "a": 1,\r\n  b\r\n}', '{"é😀":"ü",\n\n "ß":"😀" ?}', '\n\n\n?', '{"a":"\u2028",\n?}', '{"a":"x\\n"\n?}', '{"id":"日本",}', '{"😀":"😀"', '{"id":"é',
    # members
    '{"id":"x","id":null}', '{"id":null,"id":"x"}', '{"id":[1],"id":{"a":1},"id":"x"}', '{"id":"x","id":[]}', '{"":"x"}', '{"ID":"x"}', '{"\\u0069d":"x"}', '{"id":[]}', '{"id":{}}', '{"id":{"id":"x"}}', '{"a":{"id":"x"}}', '{"id":null}', '{"id":1}', '{"id":1.5}', '{"id":true}', '{"id":NaN}', '{"id":-Infinity}', '{"id":1e400}',
    OK % ',"x":NaN', OK % ',"x":Infinity', OK % ',"x":-Infinity', OK % ',"x":"\\ud800"', OK % ',"\\udc00":1', OK % ',"x":[NaN,-Infinity,{"y":Infinity}]', OK % (',"x":' + "[" * 100 + "]" * 100), OK % (',"x":' + '{"a":' * 100 + "1" + "}" * 100), OK % (',"x":' + "[" * 100 + "]" * 99), OK % (',"x":' + "[" * 100 + "]" * 101),
    OK % ',"x":1234567890123456789012345678901234567890', OK % ',"x":0.1234567890123456789012345678901234567890e-400',
]
ENCODED = ['{"id":"x"}', '{"id":"é😀"}', '{"id":"x",}', '{\n"é😀":?}', "[]", "5", "55", '"', "{", '{"id":"\ud800"}', OK % "" + "\ufeff", "\ufeff{}"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
BYTES = [
    b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef\xbb\xbf\xef\xbb\xbf{}", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"\x80", b'{"id":"\xe9"}', b'{"id":"\xc3"}', b'{"id":"\xc0\x80"}', b'{"id":"\xed\xa0\x80"}', b'{"id":"\xed\xa0"}', b'{"id":"\xed\xa0\x80\xed\xb0\x80"}', b'{"id":"\xf4\x90\x80\x80"}', b'{"id":"\xf8"}', b'{"id":"x"}\xff', b'{"id":"\x82\xa0"}', b"\xfe\xff\x00", b"\xff\xfe{\x00}", b"\xff\xfe{\x00}\x00\x00", b"{\x00", b"\x00{", b"{\x00}", b"\x00{\x00", b"{\x00\x00\x00}\x00\x00", b"\x00\x00\x00{\x00\x11\x00\x00", b"{\x00}\x00\x00", b"\x00\x00", b"\x00\x00\x00\x00", b"1\x00", b"\x005", b"\xff\xfe\x00\xd8", b"\xff\xfe5\x00\x00\xd8", b"\xff\xfe\x00\x00\x00\xd8\x00\x00",
]

def mutations():
    """Bodies with one or two characters removed, replaced or doubled."""
    rng = random.Random(15)
    base = '{"id": "x\\u00e9", "a": [1, -2.5e3, true, null, {"b": "\\ud83d\\ude00"}],\n "c": {"d": {}, "e": []}}'
    for _ in range(260):
        text = base
        for _ in range(rng.choice([1, 1, 2])):
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(["", text[at] * 2, *'{}[],:"\\ux0-.e\n?']) + text[at + 1:]
        yield text[: rng.choice([len(text)] * 3 + [rng.randrange(len(text))])]

def escape(body):
    return "".join("\\\\" if b == 0x5c else chr(b) if 0x20 <= b < 0x7f else f"\\x{b:02x}" for b in body)

bodies = [text.encode() for text in TEXTS]
bodies += [text.encode(encoding, "surrogatepass") for encoding in ENCODINGS for text in ENCODED]
bodies += BYTES + [text.encode() for text in mutations()]
for body in dict.fromkeys(bodies):
    response = client.post("/query", content=body, headers={"Content-Type": "application/json"})
    # FastAPI answers 500 if the response would contain a lone surrogate.
    if response.status_code != 500:
        print(escape(body), response.status_code, response.text, sep="\t")
