import LinuxABI
import Terminal
import Testing

/// A terminal's line discipline does with keys and text what Linux's does.
@Suite struct LineDisciplineTests {
    /// A terminal with room for 64 bytes typed and 256 of output.
    final class Subject {
        private let typed = UnsafeMutableBufferPointer<TypedByte>.allocate(capacity: 64)
        private let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256)
        var discipline: LineDiscipline
        var signals: [Signal] = []

        init(_ change: (inout TerminalModes) -> Void = { _ in }) {
            output.initialize(repeating: 0)
            discipline = LineDiscipline(typed: typed, output: output)
            self.change(change)
        }

        deinit {
            typed.deallocate()
            output.deallocate()
        }

        func change(_ change: (inout TerminalModes) -> Void) {
            var modes = discipline.modes
            change(&modes)
            discipline.set(modes)
        }

        func type(_ text: String) {
            for byte in text.utf8 {
                if let signal = discipline.receive(byte) { signals.append(signal) }
            }
        }

        /// What the terminal shows since the last time.
        func shown() -> String {
            var bytes: [UInt8] = []
            while let byte = discipline.nextOutput() { bytes.append(byte) }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// Nil when there is nothing to read.
        func read(_ limit: Int = 100) -> String? {
            var bytes = [UInt8](repeating: 0, count: limit)
            guard let count = bytes.withUnsafeMutableBytes({ discipline.read(into: $0) }) else {
                return nil
            }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }

        func write(_ text: String) -> Int {
            Array(text.utf8).withUnsafeBytes { discipline.write($0) }
        }
    }

    // MARK: Lines

    @Test func aLineIsReadWhenItIsWhole() {
        let subject = Subject()
        subject.type("one")
        #expect(!subject.discipline.isReadable)
        #expect(subject.read() == nil)
        subject.type("\rtwo\n")
        #expect(subject.discipline.isReadable)
        #expect(subject.discipline.readableCount == 8)
        #expect(subject.shown() == "one\r\ntwo\r\n")
        #expect(subject.read(2) == "on")
        #expect(subject.read() == "e\n")
        #expect(subject.read() == "two\n")
        #expect(subject.read() == nil)
    }

    @Test func theEndOfFileEndsALineAndIsNotRead() {
        let subject = Subject()
        subject.type("ab\u{4}")
        #expect(subject.shown() == "ab")
        #expect(subject.read(2) == "ab")
        #expect(subject.read() == nil)
        subject.type("\u{4}\u{4}x\n")
        #expect(subject.read() == "")
        #expect(subject.read() == "")
        #expect(subject.read() == "x\n")
    }

    @Test(arguments: [
        ("ac\u{7f}b", "ab", "ac\u{8} \u{8}b"),
        ("\u{7f}a", "a", "a"),
        ("ö\u{7f}o", "o", "ö\u{8} \u{8}o"),
        ("a\u{16}\u{3}\u{7f}b", "ab", "a^\u{8}^C\u{8} \u{8}\u{8} \u{8}b"),
        ("ab\t\u{7f}c", "abc", "ab\t\(String(repeating: "\u{8}", count: 6))c"),
        ("one two  \u{17}3", "one 3", "one two  \(String(repeating: "\u{8} \u{8}", count: 5))3"),
        ("abc\u{15}d", "d", "abc\(String(repeating: "\u{8} \u{8}", count: 3))d"),
        ("ab\u{12}c", "abc", "ab^R\r\nabc"),
    ])
    func aLineIsEdited(keys: String, line: String, shown: String) {
        let subject = Subject()
        subject.type(keys + "\r")
        #expect(subject.read() == line + "\n")
        #expect(subject.shown() == shown + "\r\n")
    }

    @Test func editingNeverReachesBehindTheLine() {
        let subject = Subject()
        subject.type("kept\r\u{7f}\u{17}\u{15}new\r")
        #expect(subject.read() == "kept\n")
        #expect(subject.read() == "new\n")
    }

    @Test func withoutEchoNothingIsShownButTheNewlineThatIsAskedFor() {
        let subject = Subject { $0.local.remove(.echo) }
        subject.type("secret\u{7f}\r")
        #expect(subject.shown() == "")
        subject.change { $0.local.insert(.echoNewline) }
        subject.type("x\r")
        #expect(subject.shown() == "\r\n")
        #expect(subject.read() == "secre\n")
    }

    @Test func aLineThatIsTooLongKeepsRoomForItsEnd() {
        let subject = Subject { $0.input.insert(.bellWhenFull) }
        let line = String(repeating: "a", count: 63)
        subject.type(line + "1234567")
        let shown = line + String(repeating: "\u{7}", count: 7)
        #expect(subject.shown() == shown)
        #expect(subject.discipline.wantsInput)
        subject.type("\r")
        #expect(subject.read() == "\(line)\n")
    }

    // MARK: Without lines

    @Test func bytesAreReadAsTheyCome() {
        let subject = Subject {
            $0.local = []
            $0.input = []
            $0.output = []
        }
        subject.type("\u{3}\r\u{4}")
        #expect(subject.shown() == "")
        #expect(subject.signals.isEmpty)
        #expect(subject.read(2) == "\u{3}\r")
        #expect(subject.read() == "\u{4}")
    }

    @Test func asManyBytesAreWaitedForAsAreAsked() {
        let subject = Subject {
            $0.local = []
            $0[.minimum] = 3
        }
        subject.type("ab")
        #expect(!subject.discipline.isReadable)
        subject.type("c")
        #expect(subject.discipline.isReadable)
        // With a time to wait as well, whoever waits is to look.
        _ = subject.read()
        subject.change { $0[.time] = 1 }
        subject.type("a")
        #expect(subject.discipline.isReadable)
    }

    @Test func whatWasTypedStaysWhenLinesBeginOrEnd() {
        let subject = Subject()
        subject.type("ab")
        subject.change { $0.local.remove(.lines) }
        #expect(subject.read(1) == "a")
        subject.type("c")
        subject.change { $0.local.insert(.lines) }
        #expect(subject.read() == "bc")
        subject.type("\u{7f}d\r")
        #expect(subject.read() == "d\n")
    }

    @Test func aDeviceIsToldToWaitWhileNobodyReads() {
        let typed = UnsafeMutableBufferPointer<TypedByte>.allocate(capacity: 256)
        let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256)
        defer {
            typed.deallocate()
            output.deallocate()
        }
        var discipline = LineDiscipline(typed: typed, output: output)
        var modes = TerminalModes()
        modes.local = []
        discipline.set(modes)
        var count = 0
        while discipline.wantsInput {
            _ = discipline.receive(1)
            count += 1
        }
        #expect(count == 128)
        #expect(discipline.readableCount == count)
        var bytes = [UInt8](repeating: 0, count: 1)
        _ = bytes.withUnsafeMutableBytes { discipline.read(into: $0) }
        #expect(discipline.wantsInput)
    }

    // MARK: Signals and flow

    @Test(arguments: [
        ("\u{3}", Signal.interrupt, "^C"), ("\u{1c}", .quit, "^\\"),
        ("\u{1a}", .terminalStop, "^Z"),
    ])
    func keysRaiseSignalsAndForgetTheLine(key: String, signal: Signal, shown: String) {
        let subject = Subject()
        #expect(subject.write("text") == 4)
        subject.type("ab" + key)
        #expect(subject.signals == [signal])
        #expect(subject.shown() == shown)
        subject.type("c\r")
        #expect(subject.read() == "c\n")
        subject.change { $0.local.insert(.keepsQueues) }
        subject.type("ab" + key + "c\r")
        #expect(subject.read() == "abc\n")
    }

    @Test func outputWaitsFromCtrlSToCtrlQ() {
        let subject = Subject()
        subject.type("\u{13}")
        _ = subject.write("text")
        #expect(!subject.discipline.hasOutput)
        #expect(subject.shown() == "")
        subject.type("\u{11}")
        #expect(subject.shown() == "text")
        subject.type("\u{13}")
        _ = subject.write("more")
        subject.change { $0.input.remove(.flowControl) }
        #expect(subject.shown() == "more")
    }

    // MARK: Output

    @Test func newlinesAndTabsAreWrittenByTheModes() {
        let subject = Subject()
        _ = subject.write("a\nb\r\tc")
        #expect(subject.shown() == "a\r\nb\r\tc")
        subject.change { $0.output.insert(.expandsTabs) }
        _ = subject.write("\rab\tc")
        #expect(subject.shown() == "\rab      c")
        subject.change { $0.output = [] }
        _ = subject.write("a\n\t")
        #expect(subject.shown() == "a\n\t")
    }

    @Test func aWriterWaitsForRoomAndLosesNothing() {
        let subject = Subject()
        let text = (0..<200).map { "line \($0)\n" }.joined()
        var rest = Substring(text)
        var shown = ""
        while !rest.isEmpty {
            rest = rest.dropFirst(subject.write(String(rest)))
            #expect(rest.isEmpty || !subject.discipline.isWritable)
            shown += subject.shown()
        }
        let lines = text.split(separator: "\n").map { "\($0)\r\n" }
        #expect(shown == lines.joined())
    }

    // MARK: Modes

    @Test func modesAreKeptAsLinuxLaysThemOut() {
        var modes = TerminalModes()
        var bytes = [UInt8](repeating: 0, count: 44)
        bytes.withUnsafeMutableBytes { modes.store(into: $0) }
        // VMIN is 1 and VINTR is Ctrl-C: termbits.h.
        #expect(bytes[17] == 3)
        #expect(bytes[17 + 6] == 1)
        bytes[17] = 7
        // 9600 bits a second.
        bytes[8] = 13
        bytes[9] = 0
        bytes.withUnsafeBytes { modes.load(from: $0) }
        #expect(modes[.interrupt] == 7)
        #expect(modes.outputSpeed == 9600)
        var copy = TerminalModes()
        copy.load(from: UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(copy == TerminalModes())
    }
}
