import Foundation
import LaunchRecord
import Testing

/// What the kernel image is given, and what becomes of its end.
struct RunTests {
    private func run(_ options: [String], _ arguments: [String]) throws -> Outcome {
        let folder = try TemporaryFolder()
        return try CommandFixture.run(options + [folder.addProgram()] + arguments)
    }

    @Test(arguments: [0, 1, 42, 130, 255])
    func theExitStatusIsThePrograms(status: Int32) throws {
        #expect(try run([], ["exit", "\(status)"]).status == status)
    }

    @Test func aKernelThatDiesIsUnirunsFailure() throws {
        let outcome = try run([], ["die", "\(SIGSEGV)"])
        #expect(outcome.status == 125)
        #expect(outcome.errors.contains("signal 11"))
    }

    @Test func aKilledKernelHasTheStatusOfAKilledContainer() throws {
        let outcome = try run([], ["die", "\(SIGKILL)"])
        #expect(outcome.status == 137)
        #expect(outcome.errors.contains("SIGKILL"))
    }

    @Test func aSignalBeforeTheKernelHasHandlersEndsItAsAnyProgram() throws {
        let outcome = try run([], ["die", "\(SIGTERM)"])
        #expect(outcome.status == 143)
        #expect(outcome.errors.isEmpty)
    }

    @Test func theKernelHoldsOnlyTheDescriptorsOfItsLaunch() throws {
        let lines = try run([], ["descriptors"]).outputLines
        #expect(lines.map { $0.prefix { $0 != " " } } == ["0", "1", "2", "3", "4", "6", "7"])
        #expect(lines[3].hasPrefix("3 /memfd:launch record"))
        #expect(lines[4].hasSuffix("/program"))
        #expect(lines[5].hasPrefix("6 socket:"))
        #expect(lines[6].hasPrefix("7 /memfd:memory"))
    }

    @Test func optionsOpenTheirDescriptors() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let trace = folder.path + "/trace"
        let outcome = try CommandFixture.run(
            ["--strace", "-o", trace, "--stats", program, "descriptors"]
        )
        #expect(outcome.outputLines.contains("8 " + trace))
        #expect(outcome.outputLines.contains { $0.hasPrefix("9 /memfd:statistics") })
    }

    @Test(arguments: [["--strace=%file,write"], ["--strace", "%file"], ["--trace", "%file"]])
    func aFilteredTraceIsATrace(words: [String]) throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let trace = folder.path + "/trace"
        let outcome = try CommandFixture.run(words + ["-o", trace, program, "descriptors"])
        #expect(outcome.outputLines.contains("8 " + trace))
    }

    @Test func theKernelSeesNothingOfTheHostsEnvironment() throws {
        let lines = try run(["--name", "web"], ["environment"]).outputLines
        #expect(lines.count == 2)
        #expect(lines[0] == "argument unirun:web")
    }

    @Test func statisticsAreShownAsATable() throws {
        let outcome = try run(["--stats"], ["statistics"])
        #expect(outcome.errors.contains("call   count  errors   total     p50     p99"))
        #expect(outcome.errors.contains("write      2       1  3.0 µs  1.5 µs  2.0 µs"))
        #expect(outcome.errors.contains("heap_bytes  4096"))
    }

    @Test func onlyVerboseSaysWhatIsDone() throws {
        #expect(try run(["--verbose"], ["exit", "0"]).errors.contains("runs as process "))
        #expect(try run(["-v"], ["exit", "0"]).errors.contains("runs as process "))
        for options in [[], ["-q"], ["--quiet"]] {
            let outcome = try run(options, ["exit", "0"])
            #expect(outcome.errors.isEmpty)
            #expect(outcome.status == 0)
        }
    }

    @Test func whatFollowsTheProgramBelongsToTheProgram() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        for options in [[], ["-q"], ["run"], ["run", "-q"], ["--"], ["-q", "--"]] {
            let arguments = ["record", "-e", "A=B", "--help", "--", "version"]
            let outcome = try CommandFixture.run(options + [program] + arguments)
            let record = try RecordFixture(bytes: outcome.bytes)
            #expect(record.texts(.argument) == [program] + arguments)
            #expect(record.texts(.environment) == Self.usualVariables)
        }
    }

    /// What a program finds in its environment when nothing was said of it.
    private static let usualVariables = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=unirun",
        "HOME=/root",
    ]

    @Test func theUsualVariablesMayBeSet() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let outcome = try CommandFixture.run(
            ["-e", "PATH=/opt", "-e", "HOME=", "-e", "HOMELESS=1", program, "record"]
        )
        let record = try RecordFixture(bytes: outcome.bytes)
        #expect(
            record.texts(.environment) == [
                "HOSTNAME=unirun", "PATH=/opt", "HOME=", "HOMELESS=1",
            ]
        )
    }

    @Test func optionsReachTheRecord() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let file = try folder.add(
            "variables",
            Array("# note\n\nFROM_FILE=1\nOVER=file\nGIVEN\n".utf8)
        )
        let outcome = try CommandFixture.run(
            [
                "--env-file", file, "-e", "OVER=option", "-e", "EMPTY=", "-e", "ABSENT", "-m",
                "64M",
                "-w", "/srv", "-u", "12:34", "--hostname", "box", "--read-only", "--tmpfs", "/tmp",
                "--tmpfs=/run", "--trace", "%file,open", program, "record",
            ],
            ["TERM": "vt100", "GIVEN": "by host"]
        )
        let record = try RecordFixture(bytes: outcome.bytes)
        #expect(
            record.texts(.environment) == [
                Self.usualVariables[0], "HOSTNAME=box", "HOME=/", "TERM=vt100", "FROM_FILE=1",
                "OVER=option", "GIVEN=by host", "EMPTY=",
            ]
        )
        #expect(record.numbers(.memoryLimit) == [64 << 20])
        #expect(record.texts(.workingDirectory) == ["/srv"])
        #expect(record.bytes(.user) == [[12, 0, 0, 0, 34, 0, 0, 0]])
        #expect(record.texts(.hostname) == ["box"])
        #expect(record.texts(.temporaryDirectory) == ["/tmp", "/run"])
        #expect(record.texts(.traceFilter) == ["%file,open"])
        let options: LaunchOptions = [.readOnlyRoot, .trace]
        #expect(record.options?.subtracting(.severalProcessors) == options)
        #expect(record.bytes(.randomSeed).map(\.count) == [32])
        #expect(record.numbers(.programSize) == [120])
        #expect(record.texts(.programPath) == [program])
    }

    @Test func theProgramAppearsWhereItWasNamed() throws {
        let folder = try TemporaryFolder()
        try folder.addProgram("bin/tool")
        try folder.addProgram("other")
        let places = [
            (["./bin/tool"], "/bin/tool"), (["-w", "/srv", "./bin/tool"], "/srv/bin/tool"),
            (
                ["-w", "/a", "bin/../../../\(folder.path)/other"],
                "/\(folder.path.dropFirst())/other"
            ),
        ]
        for (options, place) in places.prefix(2) {
            let outcome = try CommandFixture.run(options + ["record"], in: folder.path)
            #expect(try RecordFixture(bytes: outcome.bytes).texts(.programPath) == [place])
        }
    }

    @Test func argumentsNeedNotBeText() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let script = "exec \"$0\" \"$1\" record \"$(printf 'a\\377b')\""
        let bytes = try CommandFixture.shell(script, [program]).bytes
        #expect(try RecordFixture(bytes: bytes).bytes(.argument).last == [0x61, 0xff, 0x62])
    }

    @Test func closedStreamsStayClosedAndAreToldSo() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let bytes = try CommandFixture.shell("exec \"$0\" \"$1\" record <&- 2>&-", [program]).bytes
        let streams = try #require(RecordFixture(bytes: bytes).bytes(.standardStreams).first)
        #expect(streams.count == 3 * HostStream.encodedSize)
        #expect(streams[..<4] == [0, 0, 0, 0])
        #expect(streams[33] & 0xf0 == 0x10)
        #expect(streams[64..<68] == [0, 0, 0, 0])
    }

    @Test func ignoredSignalsAreInherited() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let script = "trap '' HUP; exec \"$0\" \"$1\" record"
        let bytes = try CommandFixture.shell(script, [program]).bytes
        let ignored = try RecordFixture(bytes: bytes).numbers(.ignoredSignals).first ?? 0
        #expect(ignored & 1 == 1)
    }
}

/// The items of a launch record that the fake kernel printed.
struct RecordFixture {
    private var items: [(LaunchRecord.Kind, [UInt8])] = []

    init(bytes: [UInt8]) throws {
        items = try bytes.withUnsafeBytes { bytes in
            var reader = try LaunchRecordReader(bytes)
            var found: [(LaunchRecord.Kind, [UInt8])] = []
            while let item = try reader.next() { found.append((item.kind, Array(item.payload))) }
            return found
        }
    }

    func bytes(_ kind: LaunchRecord.Kind) -> [[UInt8]] { items.filter { $0.0 == kind }.map(\.1) }
    func texts(_ kind: LaunchRecord.Kind) -> [String] {
        bytes(kind).map { String(decoding: $0, as: UTF8.self) }
    }
    var options: LaunchOptions? { numbers(.options).first.map { LaunchOptions(rawValue: $0) } }

    func numbers(_ kind: LaunchRecord.Kind) -> [UInt64] {
        bytes(kind).map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    }
}
