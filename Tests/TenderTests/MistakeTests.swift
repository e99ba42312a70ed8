import Foundation
import Testing

/// What a newcomer does wrong: one line that says what, which file, why and what next.
struct MistakeTests {
    private func mistake(
        _ arguments: [String],
        _ variables: [String: String] = [:],
        in folder: String? = nil,
        status: Int32,
        says parts: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try CommandFixture.run(arguments, variables, in: folder)
        #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
        #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
        let lines = outcome.errors.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines.count == 2 && lines.last == "",
            "\(outcome.errors)",
            sourceLocation: sourceLocation
        )
        #expect(outcome.errors.hasPrefix("unirun: "), sourceLocation: sourceLocation)
        for part in parts {
            #expect(
                outcome.errors.contains(part),
                "\(outcome.errors)",
                sourceLocation: sourceLocation
            )
        }
    }

    @Test func aWrongVolumeIsOneLine() throws {
        let program = "/bin/busybox"
        try mistake(["-v", "/absent:/b", program], status: 125, says: "/absent", "mkdir -p")
        try mistake(["-v", "/etc/passwd:/b", program], status: 125, says: "no folder")
        try mistake(["-v", "/tmp:b", program], status: 125, says: "absolute", "/tmp:/b")
        try mistake(["-v", "data:/b", program], status: 125, says: "name", "./data")
        try mistake(["-v", "/tmp:/", program], status: 125, says: "root", "--rootfs")
        try mistake(["-v", "/tmp:/b:rx", program], status: 125, says: "'rx'", "ro")
        try mistake(["-v", ":/b", program], status: 125, says: "HOST:GUEST")
        try mistake(["--volume", "/tmp", program], status: 125, says: "HOST:GUEST")
        try mistake(
            ["-v", "/tmp:/b", "-v", "/etc:/a/../b/", program],
            status: 125,
            says: "/b already"
        )
        try mistake(["-v", "/tmp:/b", "/b/absent"], status: 127, says: "/tmp", "no such file")
    }

    @Test func aMissingFileIsNotFound() throws {
        try mistake(["./absent"], status: 127, says: "./absent", "No such file", "check the path")
    }

    @Test func aNameWithoutASlashIsSearchedInThePath() throws {
        let folder = try TemporaryFolder()
        try mistake(
            ["no-such-command"],
            in: folder.path,
            status: 127,
            says: "PATH",
            "./no-such-command"
        )
        try folder.addProgram("tool")
        try mistake(["tool"], in: folder.path, status: 127, says: "./tool")
        let found = try CommandFixture.run(["tool", "exit", "7"], ["PATH": folder.path])
        #expect(found.status == 7)
    }

    @Test func disksAreForMachinesAndMustBeThere() throws {
        let folder = try TemporaryFolder()
        try folder.addProgram("tool")
        let program = folder.path + "/tool"
        let disk = folder.path + "/disk"
        try mistake(["--disk", disk, program], status: 125, says: "--disk", "--platform vm")
        let machine = ["--platform", "vm", "--disk"]
        try mistake(machine + [disk, program], status: 125, says: disk, "No such file")
        try mistake(machine + [folder.path + ":ro", program], status: 125, says: "block device")
    }

    @Test func aNetworkIsForMachinesAndNeedsAnAddress() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let machine = ["--platform", "vm"]
        let address = ["--ip", "10.0.0.2/24"]
        let tap = ["--network", "tap"]
        try mistake(tap + address + [program], status: 125, says: "process", "--platform vm")
        try mistake(machine + tap + [program], status: 125, says: "--ip 10.0.0.2/24")
        try mistake(machine + address + [program], status: 125, says: "--network tap")
        let none = machine + ["--network", "none"] + address + [program]
        try mistake(none, status: 125, says: "--network tap")
        let firecracker = machine + ["--firecracker"] + tap + address + [program]
        try mistake(firecracker, status: 125, says: "Firecracker")
    }

    @Test(arguments: [
        "bridge", "user", "tap:", "tap:a/b", "tap:sixteen-letters-", "tap:a b", "tap:t%d", "TAP",
    ])
    func aNetworkThatThereIsNotIsRefused(name: String) throws {
        let folder = try TemporaryFolder()
        let words = ["--platform", "vm", "--network", name, "--ip", "10.0.0.2/24"]
        try mistake(words + [folder.addProgram()], status: 125, says: "network '\(name)'")
    }

    @Test(arguments: [
        "10.0.0.2", "10.0.0.2/", "10.0.0.2/0", "10.0.0.2/32", "10.0.0.2/+4", "10.0.0.2/24/1",
        "10.0.0/24", "10.0.0.256/24", "10.0.0.2.1/24", "10.0.0.-1/24", "ten/24", "/24", "",
        "10.0.0.0/24", "10.0.0.255/24", "127.0.0.1/8", "0.0.0.1/8", "224.0.0.1/4", "255.1.1.1/8",
    ])
    func anAddressThatNoHostHasIsRefused(address: String) throws {
        let folder = try TemporaryFolder()
        let words = ["--platform", "vm", "--network", "tap", "--ip", address]
        try mistake(words + [folder.addProgram()], status: 125, says: "address '\(address)'")
    }

    @Test func anInterfaceMustBeThere() throws {
        let folder = try TemporaryFolder()
        let words = ["--platform", "vm", "--network", "tap:no-such-tap", "--ip", "10.0.0.2/24"]
        try mistake(
            words + [folder.addProgram()],
            status: 125,
            says: "no network interface no-such-tap",
            "ip tuntap add"
        )
    }

    @Test func aDirectoryCannotBeRun() throws {
        let folder = try TemporaryFolder()
        try mistake([folder.path], status: 126, says: folder.path, "directory")
    }

    @Test func aFileThatIsNotExecutableCannotBeRun() throws {
        let folder = try TemporaryFolder()
        let file = try folder.add("plain", ProgramImage().bytes)
        try mistake([file], status: 126, says: "not executable", "chmod +x")
    }

    @Test func aPipeCannotBeRunAndIsNotWaitedFor() throws {
        let folder = try TemporaryFolder()
        mkfifo(folder.path + "/pipe", 0o755)
        try mistake([folder.path + "/pipe"], status: 126, says: "it is a pipe")
    }

    @Test func aDynamicProgramNeedsARoot() throws {
        let folder = try TemporaryFolder()
        let image = ProgramImage(interpreter: "/lib64/ld-linux-x86-64.so.2").bytes
        let file = try folder.add("dynamic", image, mode: 0o755)
        try mistake(
            [file],
            status: 126,
            says: "/lib64/ld-linux-x86-64.so.2",
            "-static",
            "--rootfs"
        )
    }

    @Test func aScriptNeedsARootWithItsInterpreter() throws {
        let folder = try TemporaryFolder()
        let file = try folder.add("script", Array("#! /bin/sh -e\n".utf8), mode: 0o755)
        try mistake([file], status: 126, says: "/bin/sh", "--rootfs")
    }

    @Test(arguments: [
        (0, 0, "empty"), (3, 0, "no ELF program"), (40, 0, "damaged"),
    ])
    func aShortFileIsExplained(length: Int, unused: Int, reason: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.add("short", Array(ProgramImage().bytes.prefix(length)), mode: 0o755)
        try mistake([file], status: 126, says: reason)
    }

    @Test(arguments: [
        (4, UInt8(1), "32-bit"), (5, 2, "big-endian"), (18, 183, "aarch64"),
        (18, 20, "program for"),
        (16, 1, "object file"), (16, 4, "core dump"), (0, 0, "no ELF program"),
    ])
    func aForeignFileIsExplained(offset: Int, byte: UInt8, reason: String) throws {
        let folder = try TemporaryFolder()
        var image = ProgramImage()
        image.bytes[offset] = byte
        let file = try folder.add("foreign", image.bytes, mode: 0o755)
        try mistake([file], status: 126, says: reason)
    }

    @Test func optionsAreCheckedBeforeAnythingStarts() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        try mistake(["--accel", "kvm", program], status: 125, says: "add --platform vm")
        try mistake(["--cpus", "2", program], status: 125, says: "one processor")
        try mistake(["-m", "lots", program], status: 125, says: "512M")
        try mistake(["-m", "1M", program], status: 125, says: "too little")
        try mistake(["-u", "root", program], status: 125, says: "UID")
        try mistake(["-w", "here", program], status: 125, says: "absolute")
        try mistake(["--tmpfs", "tmp", program], status: 125, says: "absolute")
        try mistake(["-e", "=x", program], status: 125, says: "no name")
        try mistake(["--env-file", "/absent", program], status: 125, says: "/absent")
        try mistake(["-o", "trace", program], status: 125, says: "--strace")
        try mistake(["--frobnicate", program], status: 125, says: "--frobnicate", "--help")
        try mistake(["-it", program], status: 125, says: "-it", "leave it out")
        try mistake(["--mount", "type=bind", program], status: 125, says: "--mount", "--volume")
        try mistake(["-m"], status: 125, says: "-m", "--help")
        try mistake(
            ["build", "--format", "module", "-o", "/absent/file", program],
            status: 125,
            says: "/absent/file",
            "No such file"
        )
        try mistake(["--quiet"], status: 125, says: "no program")
        try mistake(["run"], status: 125, says: "no program")
        try mistake(["--rootfs", "/absent", program], status: 125, says: "/absent", "--rootfs")
    }

    @Test func aWrongWordIsToldWithTheRightOnes() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        let machine = ["--platform", "vm"]
        try mistake(
            ["--platform", "docker", program],
            status: 125,
            says: "platform 'docker' is not known",
            "--platform process or --platform vm"
        )
        try mistake(
            machine + ["--accel", "hvf", program],
            status: 125,
            says: "--accel kvm or --accel tcg"
        )
        try mistake(
            machine + ["--machine", "pc", program],
            status: 125,
            says: "machine 'pc'",
            "q35"
        )
        try mistake(
            ["build", "--format", "qcow2", "-o", folder.path + "/x", program],
            status: 125,
            says: "--format iso or --format module"
        )
        try mistake(
            ["syscalls", "-o", "yaml"],
            status: 125,
            says: "output 'yaml'",
            "--output json"
        )
        try mistake(["completions", "tcsh"], status: 125, says: "unirun completions bash")
    }

    @Test(arguments: [
        ["--gdb=0"], ["--gdb=65536"], ["--gdb", "65536"], ["--gdb=x"],
    ])
    func aWrongPortOfTheDebuggerIsToldWithARightOne(words: [String]) throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        try mistake(
            ["--platform", "vm"] + words + [program],
            status: 125,
            says: "is not a number from 1 to 65535",
            "--gdb=1234"
        )
    }

    @Test(arguments: [["--gdb=1234"], ["--gdb", "1234"]])
    func aPortOfTheDebuggerIsForMachines(words: [String]) throws {
        let folder = try TemporaryFolder()
        try mistake(words + [folder.addProgram()], status: 125, says: "--gdb=PORT", "--platform vm")
    }

    @Test func aFilterOfCallsThatThereAreNotIsExplained() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        try mistake(["--strace=%fiel", program], status: 125, says: "'%fiel' is no system call")
        try mistake(["--strace", "%fiel", program], status: 125, says: "'%fiel' is no system call")
        try mistake(["--strace=read,,write", program], status: 125, says: "empty word")
    }

    @Test func aDotIsAFolder() throws {
        try mistake(["."], status: 126, says: "cannot run .", "directory")
        try mistake([".."], status: 126, says: "cannot run ..", "directory")
    }

    /// A script in QEMU's place says what QEMU says when KVM gives up.
    @Test(arguments: [
        ("KVM internal error. Suberror: 1", "KVM internal error. Suberror: 1"),
        ("error: kvm run failed Bad address", "kvm run failed Bad address"),
        (
            "Could not access KVM kernel module: No such device\nqemu: failed to initialize kvm: x",
            "Could not access KVM kernel module: No such device"
        ),
    ])
    func aBrokenKVMIsOneLine(words: String, reason: String) throws {
        guard access("/dev/kvm", R_OK | W_OK) == 0 else { return }
        let folder = try TemporaryFolder()
        let script =
            "#!/bin/sh\nprintf '%s\\n' '\(words)' 'RAX=0000 RBX=0000' >&2\nexec /bin/sleep 60\n"
        try folder.add("qemu-system-x86_64", Array(script.utf8), mode: 0o755)
        try mistake(
            ["--platform", "vm", "--accel", "kvm", folder.addProgram()],
            ["PATH": folder.path],
            status: 125,
            says: reason,
            "--accel tcg"
        )
    }

    @Test func aMissingKernelImageIsExplained() throws {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        try mistake(
            [program],
            ["UNIRUN_KERNEL": "/absent"],
            status: 125,
            says: "/absent",
            "UNIRUN_KERNEL"
        )
        let broken = try folder.add("kernel", Array("nonsense".utf8), mode: 0o755)
        try mistake([program], ["UNIRUN_KERNEL": broken], status: 125, says: broken, "Exec format")
    }
}
