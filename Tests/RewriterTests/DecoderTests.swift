import Foundation
import Rewriter
import Testing

/// One line of objdump: where an instruction begins, and whether objdump could decode it.
private struct Line {
    var address: UInt64
    var isBad: Bool
    var mnemonic: Substring.UTF8View
}

private func disassemble(
    _ path: String,
    _ range: Range<UInt64>,
    _ body: (Line) -> Void
) {
    let command = [
        "objdump", "-d", "-w", "--no-show-raw-insn", "-j", ".text",
        "--start-address=\(range.lowerBound)", "--stop-address=\(range.upperBound)", path,
    ]
    guard let output = Samples.run(command) else { return }
    for raw in output.split(separator: UInt8(ascii: "\n")) {
        // Instructions are "  401000:\tmov ..."; symbol lines begin with a digit.
        guard let first = raw.first, first == UInt8(ascii: " "),
            let colon = raw.firstIndex(of: UInt8(ascii: ":"))
        else { continue }
        var address: UInt64 = 0
        for byte in raw[..<colon] where byte != UInt8(ascii: " ") {
            let digit = byte >= UInt8(ascii: "a") ? byte - UInt8(ascii: "a") + 10 : byte & 0xf
            address = address << 4 | UInt64(digit)
        }
        let text = String(decoding: raw[(colon + 1)...].prefix(40), as: UTF8.self)
        let isBad = text.contains("(bad)") || text.contains(".byte")
        body(Line(address: address, isBad: isBad, mnemonic: text.drop { $0 == "\t" }.utf8))
    }
}

/// objdump prints `fwait` and the x87 instruction that follows it as one.
private func agrees(_ text: UnsafeRawBufferPointer, _ offset: Int, _ length: Int) -> Bool {
    guard let decoded = InstructionDecoder.decode(text, at: offset) else { return false }
    if Int(decoded.length) == length { return true }
    guard text[offset] == 0x9b, length > 1 else { return false }
    return agrees(text, offset + 1, length - 1)
}

/// A prefix that does not count where it stands is a line of its own in objdump's output.
private func isLonePrefix(_ line: Line) -> Bool {
    let text = String(line.mnemonic) ?? ""
    let name = text.trimmingCharacters(in: .whitespaces)
    return name.hasPrefix("rex") || ["data16", "cs", "ds", "es", "ss", "fs", "gs"].contains(name)
}

@Suite struct DecoderTests {
    /// A slice of each program unless `UNIRUN_DECODER_FULL` asks for all of it.
    @Test func lengthsAgreeWithObjdump() throws {
        let isFull = ProcessInfo.processInfo.environment["UNIRUN_DECODER_FULL"] != nil
        try #require(Samples.all.count >= 2)
        var compared = 0
        for program in Samples.all {
            let slice = isFull ? 4 << 20 : 96 << 10
            let slices = isFull ? Int.max : 3
            let stride = max(slice, program.text.count / min(slices, program.text.count))
            for begin in Swift.stride(from: 0, to: program.text.count, by: stride) {
                compared += compare(program, begin, min(begin + slice, program.text.count))
            }
        }
        print("decoder: \(compared) instructions compared")
        #expect(compared > 100_000)
    }

    private func compare(_ program: Samples.Program, _ begin: Int, _ end: Int) -> Int {
        let base = program.textAddress
        var previous: Line?
        var compared = 0
        var differences = 0
        program.text.withUnsafeBytes { text in
            disassemble(program.path, base + UInt64(begin)..<base + UInt64(end)) { line in
                defer { previous = line }
                guard let last = previous, !last.isBad, !line.isBad, !isLonePrefix(last) else {
                    return
                }
                let offset = Int(last.address - base)
                // objdump reads no byte behind the slice and may cut its last instruction.
                guard offset + 16 <= end else { return }
                compared += 1
                guard !agrees(text, offset, Int(line.address - last.address)) else { return }
                differences += 1
                if differences > 10 { return }
                let bytes = text[offset...].prefix(16).map { String($0, radix: 16) }
                Issue.record(
                    """
                    \(program.name) \(String(last.address, radix: 16)): \(bytes) \
                    objdump \(line.address - last.address) \(String(last.mnemonic) ?? "")
                    """
                )
            }
        }
        return compared
    }

    @Test func everyTruncationOfAnInstructionIsRefused() {
        let instructions: [[UInt8]] = [
            [0x0f, 0x05],
            [0xb8, 0x01, 0x00, 0x00, 0x00],
            [0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8],
            [0x48, 0x8d, 0x0d, 1, 2, 3, 4],
            [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
            [0x62, 0xf1, 0x7c, 0x48, 0x10, 0x44, 0x24, 0x01],
            [0xc4, 0xe3, 0x7d, 0x39, 0xc8, 0x01],
            [0xc5, 0xf8, 0x77],
            [0x8f, 0xe8, 0x78, 0xc0, 0xc1, 0x02],
            [0x8f, 0xea, 0x78, 0x10, 0xc1, 1, 2, 3, 4],
            [0xf6, 0x05, 1, 2, 3, 4, 5],
            [0x67, 0xa1, 1, 2, 3, 4],
            [0x48, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8],
            [0xc8, 1, 2, 3],
            [0x66, 0x0f, 0x78, 0xc1, 2, 3],
            [0x66, 0xf7, 0xc1, 1, 2],
        ]
        for bytes in instructions {
            for count in 0...bytes.count {
                let decoded = bytes[..<count].withUnsafeBytes {
                    InstructionDecoder.decode($0, at: 0)
                }
                #expect(decoded.map { Int($0.length) } == (count == bytes.count ? count : nil))
            }
        }
    }

    @Test func moreThanFifteenBytesAreNoInstruction() {
        let bytes = [UInt8](repeating: 0x2e, count: 14) + [0x31, 0xc0]
        bytes.withUnsafeBytes { #expect(InstructionDecoder.decode($0, at: 0) == nil) }
        bytes.withUnsafeBytes { #expect(InstructionDecoder.decode($0, at: 1)?.length == 15) }
    }

    @Test func randomBytesNeverLeadOutOfTheBuffer() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200_000 {
            let count = Int.random(in: 1...16, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let length = bytes.withUnsafeBytes { InstructionDecoder.decode($0, at: 0)?.length }
            if let length { #expect(length >= 1 && Int(length) <= min(15, count)) }
        }
    }
}

/// SplitMix64: the same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
