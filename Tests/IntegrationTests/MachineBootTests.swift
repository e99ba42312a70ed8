import Foundation
import Testing

/// Machines that boot what `unirun build` wrote, with no `unirun` at their side.
@Suite(.serialized, .enabled(if: Command.isBuilt && Command.isMachine)) struct MachineBootTests {
    private static let busybox = "/bin/busybox"
    private static let emulator = "/usr/bin/qemu-system-x86_64"
    private static let timeLimit: Double = 60

    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    private func build(_ format: String, _ program: [String], environment: [String]? = nil) throws
        -> (file: String, run: Execution)
    {
        let file = scratch.path + "/image"
        let run = try Execution.run(
            [Command.path, "build", "--format", format, "-o", file, "--"] + program,
            environment: environment ?? Command.environment,
            timeLimit: Self.timeLimit
        )
        return (file, run)
    }

    /// QEMU's command for a machine with nothing but what is asked for.
    private static func machine(_ options: [String]) -> [String] {
        [
            emulator, "-accel", "tcg", "-cpu", "max", "-m", "256M", "-nodefaults",
            "-no-user-config", "-no-reboot", "-display", "none",
        ] + options
    }

    private static let debugExit = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]

    // MARK: Disks

    enum Firmware: CaseIterable {
        case bios, uefi

        var options: [String] { self == .bios ? [] : ["-bios", "/usr/share/ovmf/OVMF.fd"] }
    }

    enum Medium: CaseIterable {
        case disk, cd

        func options(_ file: String) -> [String] {
            self == .disk ? ["-drive", "file=\(file),format=raw"] : ["-cdrom", file]
        }
    }

    @Test(arguments: Firmware.allCases, Medium.allCases)
    func aDiskBootsItsProgramAndTurnsTheMachineOff(firmware: Firmware, medium: Medium) throws {
        let program = [Self.busybox, "sh", "-c", "echo \"$TERM and $0\"; exit 7", "argument"]
        let (file, build) = try build("iso", program)
        #expect(build.status == 0, "\(build.errorText)")
        let options = ["-machine", "q35", "-serial", "stdio"] + firmware.options
        let run = try Execution.run(
            Self.machine(options + medium.options(file)),
            environment: Command.environment,
            timeLimit: Self.timeLimit
        )
        #expect(!run.timedOut)
        #expect(run.status == 0)
        // Firmware and GRUB say things before.
        let said = "vt220 and argument\r\nunirun: ends with status 7\r\n"
        #expect(run.outputText.hasSuffix(said), "\(run.outputText)")
        #expect(firmware == .uefi || run.outputText == said)
    }

    @Test func aMissingToolIsNamedWithItsPackage() throws {
        let (file, run) = try build("iso", [Self.busybox], environment: ["PATH=/nonexistent"])
        #expect(run.status == 125)
        #expect(run.errorText.hasPrefix("unirun: cannot write a disk: "))
        #expect(run.errorText.contains("is not installed; on Debian: apt-get install "))
        #expect(run.errorText.split(separator: "\n").count == 1)
        #expect(access(file, F_OK) != 0)
    }

    @Test func aFolderThatIsNotThereIsTold() throws {
        let run = try Execution.run(
            [
                Command.path, "build", "--format", "module", "-o", "/nonexistent/image",
                Self.busybox,
            ],
            environment: Command.environment,
            timeLimit: Self.timeLimit
        )
        #expect(run.status == 125)
        #expect(run.errorText.hasPrefix("unirun: cannot write /nonexistent/image"))
        #expect(run.errorText.split(separator: "\n").count == 1)
    }

    // MARK: Terminals

    /// What a program's terminal is.
    enum Console: CaseIterable {
        case serialOfMicrovm, serialOfPC, virtio, virtioOverPCI

        var options: [String] {
            switch self {
            case .serialOfMicrovm: ["-machine", "microvm", "-serial", "chardev:console"]
            case .serialOfPC: ["-machine", "q35", "-serial", "chardev:console"]
            case .virtio:
                ["-machine", "microvm,acpi=off,isa-serial=off"]
                    + ["-global", "virtio-mmio.force-legacy=off"]
                    + ["-device", "virtio-serial-device"]
                    + ["-device", "virtconsole,chardev=console"]
            case .virtioOverPCI:
                ["-machine", "q35", "-device", "virtio-serial-pci"]
                    + ["-device", "virtconsole,chardev=console"]
            }
        }

        /// Whether the machine tells how it is turned off; its status is said then.
        var hasTables: Bool { self != .virtio }
    }

    private func command(_ console: Console, _ module: String, _ line: String) -> [String] {
        Self.machine(["-kernel", KernelImage.path, "-initrd", module, "-chardev", line])
            + console.options
    }

    @Test(arguments: Console.allCases)
    func aProgramsTerminalIsAsAnyOther(_ console: Console) throws {
        let source = Program.folder.appendingPathComponent("terminal/lines-keys-and-signals.c")
        let program = try Build(program: Program(source: source), library: .musl).executable().path
        let (file, build) = try build("module", [program])
        #expect(build.status == 0, "\(build.errorText)")
        let native = try converse([program])
        #expect(native.status == 128 + SIGINT)
        var machine = command(console, file, "stdio,id=console,signal=off")
        if !console.hasTables { machine += Self.debugExit }
        let booted = try converse(machine)
        #expect(booted.output == native.output)
        #expect(booted.said == (console.hasTables ? "ends with status 130\n" : nil))
        // The device tells but seven bits: 130 is 2.
        let status: Int32 = console.hasTables ? 0 : 2 * 2 + 1
        #expect(booted.status == status)
    }

    /// What a program says while somebody types, without the returns that each terminal adds.
    private func converse(_ command: [String]) throws -> (
        output: String, said: String?, status: Int32?
    ) {
        let terminal = try Terminal(command, environment: [], folder: scratch.path)
        var output = ""
        for (words, keys) in [
            ("for a line\r", "typed\u{7f}D text\r"), ("for the end\r", "\u{04}"),
            ("for an interrupt\r", "\u{03}"), ("for two bytes\r", "\u{03}\r"),
            ("for the last interrupt\r", "\u{03}"),
        ] {
            output += terminal.read(until: words)
            usleep(200_000)  // until it blocks in read
            terminal.send(keys)
        }
        let last = try terminal.finish()
        let text = (output + last.output).unicodeScalars.filter { $0 != "\r" }
        let parts = String(String.UnicodeScalarView(text)).components(separatedBy: "unirun: ")
        return (parts[0], parts.dropFirst().first, last.status)
    }

    /// Runs a module with what is typed; what was shown.
    private func show(_ console: Console, _ program: [String], typed: String) throws -> String {
        let (file, build) = try build("module", program)
        #expect(build.status == 0, "\(build.errorText)")
        let run = try Execution.run(
            command(console, file, "stdio,id=console,signal=off") + Self.debugExit,
            environment: Command.environment,
            input: typed,
            timeLimit: Self.timeLimit
        )
        #expect(run.status == 1, "\(run.errorText)")
        return run.outputText
    }

    /// More than all queues hold, though not all of it is echoed then. What is typed before the machine
    /// has started is lost, as anywhere.
    @Test(arguments: Console.allCases)
    func nothingThatIsTypedIsLost(_ console: Console) throws {
        let before = String(repeating: "early\n", count: 20)
        let text = (0..<3000).map { "line \($0) of what is typed\n" }.joined()
        let count = "/typed/ && $2 == n { n++ } END { print n \" lines\" }"
        let shown = try show(
            console,
            [Self.busybox, "awk", count],
            typed: before + text + "\u{04}"
        )
        #expect(shown.hasSuffix("3000 lines\r\n"), "\(shown.suffix(200))")
    }

    @Test(arguments: Console.allCases)
    func nothingThatIsWrittenIsLost(_ console: Console) throws {
        let shown = try show(console, [Self.busybox, "seq", "1", "20000"], typed: "")
        let lines = (1...20000).map { "\($0)\r\n" }
        #expect(shown == lines.joined())
    }

    @Test func aMachineThatCannotBeTurnedOffSaysTheStatusAndHalts() throws {
        let (file, build) = try build("module", [Self.busybox, "sh", "-c", "exit 3"])
        #expect(build.status == 0, "\(build.errorText)")
        let run = try Execution.run(
            Self.machine(["-kernel", KernelImage.path, "-initrd", file, "-serial", "stdio"])
                + ["-machine", "microvm,acpi=off"],
            environment: Command.environment,
            timeLimit: 5
        )
        #expect(run.timedOut)
        #expect(
            run.outputText == "unirun: ends with status 3; this machine cannot be turned off\r\n"
        )
    }
}
