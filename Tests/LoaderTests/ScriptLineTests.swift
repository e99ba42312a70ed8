import Foundation
import LoaderCore
import LoaderFuzzing
import TestFiles
import Testing

@testable import ELFFile

@Suite struct ScriptLineTests {
    private func parse(_ text: String) -> (interpreter: String, argument: String?)? {
        let bytes = Array(text.utf8)
        guard let line = try? ScriptLine(parsing: bytes) else { return nil }
        let string = { (range: Range<Int>) in String(decoding: bytes[range], as: UTF8.self) }
        return (string(line.interpreter), line.argument.map(string))
    }

    @Test func interpreterAndOneArgument() throws {
        #expect(try #require(parse("#!/bin/sh\n")) == ("/bin/sh", nil))
        #expect(try #require(parse("#! \t/bin/sh -e -x \t\necho")) == ("/bin/sh", "-e -x"))
        #expect(parse("#!\n") == nil)
        #expect(parse("#!   \n/bin/sh") == nil)
        #expect(parse("/bin/sh") == nil)
        #expect(parse("#") == nil)
    }

    @Test func interpreterThatMayBeCutOffIsRefused() {
        let long = "#!/" + String(repeating: "x", count: 300)
        #expect(parse(long) == nil)
        let argument = parse("#!/bin/sh " + String(repeating: "x", count: 300))?.argument
        #expect(argument?.count == 245)
    }

    /// Runs scripts whose interpreter prints its arguments, and holds each against the parser.
    @Test func lineIsReadAsLinuxReadsIt() throws {
        let interpreter = try BuiltProgram.compile(
            """
            #include <stdio.h>
            int main(int argc, char **argv) {
                for (int i = 0; i < argc; i++) printf("[%s]", argv[i]);
            }
            """
        )
        var generator = SeededGenerator(seed: 11)
        let script = BuiltProgram.folder.appendingPathComponent("script").path
        for round in 0..<250 {
            let text = Self.scriptText(round, interpreter, &generator)
            try writeExecutable(text, at: script)
            let native = try? BuiltProgram.run(script, ["last"]).output
            let line = try? ScriptLine(parsing: text)
            let words = line.map { line -> [String] in
                let ranges = [line.interpreter] + (line.argument.map { [$0] } ?? [])
                return ranges.map { String(decoding: text[$0], as: UTF8.self) }
            }
            let expected = (words?.first == interpreter ? words : nil).map { words in
                (words + [script, "last"]).map { "[\($0)]" }.joined()
            }
            #expect(native == expected, "\(String(decoding: text, as: UTF8.self).debugDescription)")
        }
    }

    private static func scriptText(
        _ round: Int,
        _ interpreter: String,
        _ generator: inout SeededGenerator
    ) -> [UInt8] {
        let alphabet = Array(" \t  ab\n\0".utf8)
        func random(_ count: Int) -> [UInt8] {
            (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
        }
        let blanks = random(6).filter { $0 == 0x20 || $0 == 0x09 }
        var text = Array("#!".utf8) + blanks + Array(interpreter.utf8) + random(round % 12)
        // Every third line reaches about as far as the kernel reads.
        if round % 3 == 0 {
            let filler: UInt8 = round % 2 == 0 ? 0x20 : 0x61
            if round % 4 == 0 { text.append(0x20) }
            let length = 250 + round % 9
            text += Array(repeating: filler, count: max(0, length - text.count))
            text += random(5)
        }
        return text
    }
}
