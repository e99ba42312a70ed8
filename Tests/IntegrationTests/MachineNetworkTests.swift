import Foundation
import Testing

/// A machine on a network: the host's own stack talks to it, in a network namespace with nobody else
/// (`Programs/network/neighbour.c`).
@Suite(
    .enabled(if: Command.isBuilt && Command.isMachine),
    .enabled(if: NetworkNamespace.lack == nil, "\(NetworkNamespace.lack ?? "")")
)
struct MachineNetworkTests {
    private func run(
        _ what: String,
        _ hardware: MachineDiskTests.Hardware,
        network: String = "tap:unirun-test",
        options: [String] = [],
        _ way: String
    ) throws -> Execution {
        let packed = hardware.isPacked ? "on" : "off"
        let run = try Execution.run(
            [NetworkNamespace.executable("neighbour", .glibc), what, Command.path, "run"]
                + Command.options
                + ["--machine", hardware.machine, "--network", network, "--ip", "10.9.8.2/24"]
                + options + ["--", NetworkNamespace.executable("waits", .musl), way],
            environment: Command.environment
                + ["UNIRUN_QEMU=-global \(hardware.device("net")).packed=\(packed)"],
            timeLimit: 3 * ProgramTests.timeLimit
        )
        #expect(!run.timedOut)
        return run
    }

    /// Whatever the program does.
    @Test(arguments: MachineDiskTests.Hardware.all, ["sleeps", "spins", "reads"])
    func aMachineAnswersThePings(_ hardware: MachineDiskTests.Hardware, _ way: String) throws {
        let run = try run("pings", hardware, way)
        #expect(
            run.outputText == """
                says begins
                4 of 4 echoes of 56 bytes
                2 of 2 echoes of 0 bytes
                2 of 2 echoes of 1472 bytes
                card 02:55:0a:09:08:02
                says ends
                status 0

                """
        )
        #expect(run.errorText == "")
    }

    /// Frames that are damaged, noise, fragments, or longer than any card's.
    @Test(arguments: MachineDiskTests.Hardware.all, ["sleeps", "spins"])
    func framesThatAreNoneHarmNothing(
        _ hardware: MachineDiskTests.Hardware,
        _ way: String
    ) throws {
        let run = try run("garbage", hardware, options: ["--stats"], way)
        #expect(
            run.outputText == """
                says begins
                30 of 30 echoes among garbage
                4 of 4 echoes of 56 bytes
                says ends
                status 0

                """
        )
        let counters = Dictionary(
            run.errorText.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                return words.count == 2 ? UInt64(words[1]).map { (words[0], $0) } : nil
            },
            uniquingKeysWith: { first, _ in first }
        )
        #expect(counters["network_fragments"] == 5)
        #expect(counters["network_echo_requests"] == 34)
        #expect(counters["network_malformed", default: 0] > 100)
        #expect(counters["network_bad_checksums", default: 0] > 10)
        #expect(counters["network_frames_unsent"] == 0)
    }

    /// As with its cable pulled out.
    @Test(arguments: MachineDiskTests.Hardware.all)
    func aProgramGoesOnWithoutItsInterface(_ hardware: MachineDiskTests.Hardware) throws {
        let run = try run("loses", hardware, "sleeps")
        #expect(
            run.outputText == """
                says begins
                1 of 1 echoes of 56 bytes
                says unirun: the interface unirun-test is gone, and with it the network
                says ends
                status 0

                """
        )
    }

    // MARK: What is missing

    private func expectFailure(
        _ what: String,
        _ network: String,
        says words: String...
    ) throws {
        let hardware = MachineDiskTests.Hardware.all[0]
        let run = try run(what, hardware, network: network, "returns")
        #expect(run.status == 125)
        #expect(run.errorText.hasPrefix("unirun: cannot "))
        #expect(run.errorText.split(separator: "\n").count == 1, "\(run.errorText)")
        for each in words { #expect(run.errorText.contains(each), "\(run.errorText)") }
    }

    @Test func aMissingPrivilegeIsTold() throws {
        try expectFailure(
            "without-privilege",
            "tap",
            says: "make a network interface",
            "not permitted",
            "--network tap:NAME"
        )
    }

    @Test func aMissingDeviceIsTold() throws {
        try expectFailure("without-device", "tap", says: "no /dev/net/tun", "modprobe tun")
    }

    @Test func anInterfaceThatIsNoTapIsRefused() throws {
        try expectFailure("without-privilege", "tap:lo", says: "the interface lo", "no tap")
    }
}

/// What the tests start: a neighbour of the machine, which makes the namespace, and the machine's program.
private enum NetworkNamespace {
    static func executable(_ name: String, _ library: CLibrary) throws -> String {
        let source = Program.folder.appendingPathComponent("network/\(name).c")
        return try Build(program: Program(source: source), library: library).executable().path
    }

    /// Why there can be no network namespace with a tap here; nil where there can.
    static let lack: String? = {
        do {
            let probe = try Execution.run(
                [executable("neighbour", .glibc), "probe"],
                environment: [],
                timeLimit: ProgramTests.timeLimit
            )
            return probe.status == 77 ? probe.errorText : nil
        } catch { return "\(error)" }
    }()
}
