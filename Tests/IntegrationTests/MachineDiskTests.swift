import Foundation
import Testing

/// A machine's disk, read and written by busybox as natively, on each machine and with each format of
/// its queue.
@Suite(.enabled(if: Command.isBuilt && Command.isMachine)) struct MachineDiskTests {
    struct Hardware: CustomTestStringConvertible, Sendable {
        let machine: String
        let isPacked: Bool

        var testDescription: String { machine + (isPacked ? ", packed" : ", split") }

        /// What QEMU calls a virtio device there.
        func device(_ kind: String) -> String {
            "virtio-\(kind)-" + (machine == "q35" ? "pci" : "device")
        }

        static let all = ["microvm", "q35"].flatMap { machine in
            [false, true].map { Hardware(machine: machine, isPacked: $0) }
        }
    }

    private static let busybox = "/bin/busybox"
    private let scratch: ScratchFolder
    private let disk: String
    private let contents: Data

    init() throws {
        scratch = try ScratchFolder()
        disk = scratch.path + "/disk"
        // No two sectors are alike.
        contents = Data((0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 9 ^ $0) })
        try contents.write(to: URL(fileURLWithPath: disk))
    }

    private func run(
        _ hardware: Hardware,
        _ options: [String],
        emulator: [String] = [],
        program: String = busybox,
        _ command: [String]
    ) throws -> Execution {
        let packed = hardware.isPacked ? "on" : "off"
        let more = ["-global \(hardware.device("blk")).packed=\(packed)"] + emulator
        let run = try Execution.run(
            [Command.path, "run"] + Command.options + ["--machine", hardware.machine] + options
                + ["--", program] + command,
            environment: Command.environment + ["UNIRUN_QEMU=" + more.joined(separator: " ")],
            timeLimit: ProgramTests.timeLimit
        )
        #expect(!run.timedOut)
        return run
    }

    private var current: Data {
        get throws { try Data(contentsOf: URL(fileURLWithPath: disk)) }
    }

    @Test(arguments: Hardware.all)
    func aDiskIsReadAsNatively(_ hardware: Hardware) throws {
        let native = try Execution.run(
            [Self.busybox, "sha256sum", disk],
            environment: [],
            timeLimit: 20
        )
        let guest = try run(hardware, ["--disk", disk + ":ro"], ["sha256sum", "/dev/vda"])
        #expect(guest.outputText == "\(native.outputText.prefix(64))  /dev/vda\n")
        #expect(guest.status == 0)
    }

    /// From the middle of one sector to the middle of another.
    @Test(arguments: Hardware.all)
    func aDiskIsWrittenAsNatively(_ hardware: Hardware) throws {
        let write = [
            "dd", "if=/bin/busybox", "bs=1000", "count=150", "seek=3", "conv=notrunc,fsync",
        ]
        let copy = scratch.path + "/copy"
        try contents.write(to: URL(fileURLWithPath: copy))
        _ = try Execution.run(
            [Self.busybox] + write + ["of=" + copy],
            environment: [],
            timeLimit: 20
        )
        let guest = try run(hardware, ["--disk", disk], write + ["of=/dev/vda"])
        #expect(guest.status == 0)
        #expect(try current == Data(contentsOf: URL(fileURLWithPath: copy)))
        #expect(try current != contents)
    }

    @Test(arguments: Hardware.all)
    func aDiskThatMayOnlyBeReadIsNotWritten(_ hardware: Hardware) throws {
        let write = ["dd", "if=/dev/zero", "of=/dev/vda", "count=1", "conv=notrunc"]
        let guest = try run(hardware, ["--disk", disk + ":ro"], write)
        #expect(guest.status == 1)
        #expect(guest.errorText.contains("Operation not permitted"))
        #expect(try current == contents)
    }

    @Test(arguments: Hardware.all)
    func otherThreadsRunWhileADiskIsRead(_ hardware: Hardware) throws {
        let source = Program.folder.appendingPathComponent("hosts/runs-while-a-disk-is-read.c")
        let built = try Build(program: Program(source: source), library: .musl).executable()
        let node = "driver=null-co,node-name=slow,size=1048576,latency-ns=300000000"
        let guest = try run(
            hardware,
            [],
            emulator: ["-blockdev", node, "-device", "\(hardware.device("blk")),drive=slow"],
            program: built.path,
            []
        )
        #expect(guest.outputText == "others ran\nread: 512\nwoke before\nread: 1024\n")
        #expect(guest.status == 0)
    }

    @Test(arguments: Hardware.all)
    func aDiskTellsWhatProgramsForDisksAsk(_ hardware: Hardware) throws {
        var bytes = contents
        // Beside those that the program makes zero.
        bytes[4095] = 1
        bytes[4096 + (200 << 10)] = 1
        try bytes.write(to: URL(fileURLWithPath: disk))
        let source = Program.folder.appendingPathComponent("hosts/tells-about-a-disk.c")
        let built = try Build(program: Program(source: source), library: .glibc).executable()
        let guest = try run(hardware, ["--disk", disk], program: built.path, [])
        #expect(
            guest.outputText == """
                bytes: 1048576
                least transfer: 512
                best transfer: 0
                alignment: 0
                discarding zeroes: 0
                turns: 1
                largest transfer: 1
                read ahead: 0
                geometry: 64 32 1
                an unknown request: -1 ENOTTY
                into a bad pointer: -1 EFAULT
                zeroes: 0
                before them: 1
                the first: 0
                the last: 0
                behind them: 1
                zeroes in the middle of a sector: -1 EINVAL
                beyond the end: -1 EINVAL
                of one for reading: -1 EBADF
                /sys/block/vda/dev: 254:0
                /sys/block/vda/size: 2048
                /sys/block/vda/ro: 0
                /sys/block/vda/queue/logical_block_size: 512
                /sys/block/vda/queue/rotational: 1
                /sys/dev/block/254:0/size: 2048
                /sys/block/vdb/size: ENOENT
                major minor  #blocks  name

                 254        0       1024 vda

                """
        )
        #expect(guest.status == 0)
    }

    @Test(arguments: Hardware.all, ["read", "write", "flush"])
    func anErrorOfTheDiskIsAnErrorOfTheCall(_ hardware: Hardware, _ operation: String) throws {
        let node =
            "driver=blkdebug,node-name=bad,image.driver=file,image.filename=\(disk),"
            + "inject-error.0.event=none,inject-error.0.iotype=\(operation)"
        let device = "\(hardware.device("blk")),drive=bad,rerror=report,werror=report"
        let ends =
            operation == "read"
            ? ["if=/dev/vda", "of=/dev/null"]
            : ["if=/dev/zero", "of=/dev/vda", "conv=notrunc,fsync"]
        let guest = try run(
            hardware,
            [],
            emulator: ["-blockdev", node, "-device", device],
            ["dd"] + ends + ["count=1"]
        )
        #expect(guest.status == 1)
        #expect(
            guest.errorText.contains("Input/output error") || guest.errorText.contains("I/O error")
        )
    }
}
