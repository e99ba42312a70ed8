import Foundation
import Testing

/// Whatever goes wrong in a machine ends with a clear line and the right status, and in time.
/// One after the other: they measure what a machine does in seconds.
@Suite(.serialized, .enabled(if: Command.isBuilt && Command.isMachine)) struct MachineFaultTests {
    private static func program() throws -> String {
        let source = Program.folder.appendingPathComponent("faults/misbehaves.c")
        return try Build(program: Program(source: source), library: .musl).executable().path
    }

    private func run(
        _ fault: String,
        _ options: [String] = [],
        timeLimit: Double = ProgramTests.timeLimit
    ) throws -> Execution {
        let run = try Execution.run(
            [Command.path, "run"] + Command.options + options + ["--", Self.program(), fault],
            environment: Command.environment,
            timeLimit: timeLimit
        )
        #expect(!run.timedOut)
        return run
    }

    /// That it ended with a status and one line, which says `words`.
    private func expect(_ run: Execution, _ status: Int32, says words: String...) {
        #expect(run.status == status)
        #expect(run.errorText.hasPrefix("unirun: "))
        #expect(run.errorText.split(separator: "\n").count == 1, "\(run.errorText)")
        for each in words { #expect(run.errorText.contains(each), "\(run.errorText)") }
    }

    // MARK: Memory

    @Test(arguments: ["touches", "reads-into", "touches-among-threads"])
    func aProgramThatTouchesMoreThanThereIsIsKilled(fault: String) throws {
        let run = try run(fault, ["-m", "48M"])
        expect(run, 137, says: "killed: the program used more memory than there is")
        #expect(run.outputText == "begins\n")
    }

    @Test func tooLittleMemoryIsRefusedBeforeTheStart() throws {
        expect(try run("returns", ["-m", "3M"]), 125, says: "'3M' is too little", "4M at least")
    }

    @Test func theLeastMemoryIsEnough() throws {
        let run = try run("returns", ["-m", "4M"])
        #expect(run.status == 0)
        #expect(run.outputText == "begins\ngoes on\n")
    }

    // MARK: The program's faults

    @Test(arguments: [
        ("calls-null", 128 + SIGSEGV), ("overflows-its-stack", 128 + SIGSEGV),
        ("divides-by-zero", 128 + SIGFPE), ("has-no-such-instruction", 128 + SIGILL),
        ("writes-to-the-kernel", 128 + SIGSEGV),
    ])
    func aFaultIsTheSignalThatItIsNatively(fault: String, status: Int32) throws {
        let run = try run(fault)
        #expect(run.status == status)
        #expect(run.outputText == "begins\n")
        #expect(run.errorText == "")
    }

    @Test func theDirectionFlagIsKept() throws {
        let run = try run("keeps-the-direction-flag")
        #expect(run.status == 0)
        #expect(run.outputText == "begins\nkept\ngoes on\n")
    }

    /// In ring 0 it is the kernel's: docs/adr/0015.
    @Test func theAlignmentFlagHarmsNothing() throws {
        let run = try run("keeps-the-alignment-flag")
        #expect(run.status == 0)
        #expect(["begins\nkept\ngoes on\n", "begins\nlost\ngoes on\n"].contains(run.outputText))
    }

    // MARK: What only ring 0 may do

    @Test(arguments: ["halts-for-good", "spins-uninterrupted"])
    func aProgramThatKeepsInterruptsOffIsEnded(fault: String) throws {
        let run = try run(fault)
        expect(run, 128 + SIGSEGV, says: "interrupts off")
        #expect(run.outputText == "begins\n")
    }

    @Test func itMayCatchThat() throws {
        let run = try run("halts-and-catches")
        expect(run, 7, says: "interrupts off")
        #expect(run.outputText == "begins\nSIGSEGV\n")
    }

    /// Longer than the watchdog waits for an answer.
    @Test(arguments: ["sleeps", "computes"])
    func aMachineThatSleepsOrComputesIsLeftAlone(fault: String) throws {
        let run = try run(fault, timeLimit: 60)
        #expect(run.status == 0)
        #expect(run.outputText == "begins\ngoes on\n")
        #expect(run.errorText == "")
    }

    @Test(arguments: ["loads-page-tables", "faults-threefold"])
    func aTripleFaultIsTold(fault: String) throws {
        let run = try run(fault)
        expect(run, 125, says: "triple fault")
        #expect(run.outputText == "begins\n")
    }

    @Test func aPanicShowsRegistersAndWhoCalledWhom() throws {
        let run = try run("misleads-the-kernel")
        #expect(run.status == 125)
        let lines = run.errorText.split(separator: "\n")
        #expect(lines.first?.hasPrefix("unirun: kernel panic: page fault on address") == true)
        #expect(lines.contains { $0.hasPrefix("  rip ") })
        #expect(lines.contains { $0.hasPrefix("  at ") && $0.contains(" machine_system_call") })
    }

    // MARK: QEMU

    @Test(arguments: [
        (SIGKILL, Int32(137), "QEMU was killed (SIGKILL)"), (SIGBUS, 125, "QEMU died of signal 7"),
        (SIGTERM, 125, "QEMU was ended by a signal from outside"),
    ])
    func theEndOfQEMUIsTold(signal: Int32, status: Int32, words: String) throws {
        let scratch = try ScratchFolder()
        let (process, machine) = try start("sleeps", until: "begins\n", in: scratch)
        kill(machine, signal)
        #expect(try Execution.wait(for: process, timeLimit: ProgramTests.timeLimit) == status)
        let error = try String(contentsOfFile: scratch.path + "/err", encoding: .utf8)
        #expect(error.contains(words))
    }

    @Test func anIdleMachineGivesMemoryBack() throws {
        let scratch = try ScratchFolder()
        let (process, machine) = try start("gives-back", until: "begins\nuses\n", in: scratch)
        let used = try residentPages(of: machine)
        let deadline = Date(timeIntervalSinceNow: ProgramTests.timeLimit)
        var left = used
        // 128 MiB in pages, but for the little that the kernel keeps for the next one who asks.
        while left > used - 28_000, Date() < deadline {
            usleep(50_000)
            left = try residentPages(of: machine)
        }
        #expect(left <= used - 28_000)
        kill(process, SIGTERM)
        #expect(try Execution.wait(for: process, timeLimit: ProgramTests.timeLimit) == 143)
    }

    /// proc_pid_statm(5)
    private func residentPages(of process: pid_t) throws -> Int {
        let words = try String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
        return try #require(Int(words.split(separator: " ")[1]))
    }

    /// Starts a machine whose output goes to a file, and returns when it is as expected.
    private func start(
        _ fault: String,
        until text: String,
        in scratch: ScratchFolder
    ) throws -> (process: pid_t, machine: pid_t) {
        let (output, error) = (scratch.path + "/out", scratch.path + "/err")
        let process = try Execution.start(
            [Command.path, "run"] + Command.options + ["--", Self.program(), fault],
            environment: Command.environment,
            folder: "/",
            descriptors: [
                ("/dev/null", O_RDONLY), (output, O_WRONLY | O_CREAT), (error, O_WRONLY | O_CREAT),
            ]
        )
        let deadline = Date(timeIntervalSinceNow: ProgramTests.timeLimit)
        while try String(contentsOfFile: output, encoding: .utf8) != text, Date() < deadline {
            usleep(20_000)
        }
        let children = try String(
            contentsOfFile: "/proc/\(process)/task/\(process)/children",
            encoding: .utf8
        )
        let machine = try #require(pid_t(children.split(separator: " ").first ?? ""))
        return (process, machine)
    }

    @Test func aMissingQEMUIsNamedWithItsPackage() throws {
        let run = try Execution.run(
            [Command.path, "run", "--platform", "vm", "--", Self.program(), "returns"],
            environment: ["PATH=/nonexistent"],
            timeLimit: ProgramTests.timeLimit
        )
        expect(run, 125, says: "qemu-system-x86_64 is not installed", "qemu-system-x86")
    }
}
