import Glibc
import SystemPackage
import TenderSupport

/// A machine of Firecracker (1.12 or newer, which boots by PVH), instead of one of QEMU.
///
/// It has a serial port, which is the program's terminal, and tells nobody the exit status: the kernel
/// says it there. Nothing of this was tried on a processor that runs Firecracker.
struct Firecracker {
    var image: String
    /// Bytes.
    var memory: UInt64

    static let tool = HostTool(name: "firecracker", package: "")

    /// Its path, or one line that says where it comes from.
    static func requirePath() throws(LaunchFailure) -> String {
        if let path = tool.path() { return path }
        throw LaunchFailure(
            "cannot run a machine of Firecracker: firecracker is not installed; Debian has no package: "
                + "put a release of github.com/firecracker-microvm/firecracker into PATH, "
                + "or leave --firecracker out for QEMU"
        )
    }

    /// Where the boot module stands in Firecracker's process.
    private static let moduleDescriptor = 3
    private static let configurationDescriptor = 4

    /// What `--config-file` reads.
    var configuration: String {
        """
        {
          "boot-source": {
            "kernel_image_path": "\(escaped(image))",
            "initrd_path": "/proc/self/fd/\(Self.moduleDescriptor)",
            "boot_args": ""
          },
          "drives": [],
          "machine-config": {
            "vcpu_count": 1,
            "mem_size_mib": \((memory + (1 << 20) - 1) >> 20)
          }
        }

        """
    }

    /// As JSON has text (RFC 8259, section 7).
    private func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case _ where scalar.value < 0x20:
                "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }.joined()
    }

    /// Starts it with the boot module and waits for its end.
    func run(_ path: String, module: Int32) throws(LaunchFailure) -> ExitStatus {
        let file = try MemoryFile.make("configuration", holding: Array(configuration.utf8))
        let command = [
            path, "--no-api", "--config-file", "/proc/self/fd/\(Self.configurationDescriptor)",
        ]
        let started = tender_start.run(path, command) { start in
            start.descriptors = (0, 1, 2, module, file, -1, -1, -1, -1, -1, -1, -1)
        }
        guard started > 0 else {
            let reason = Errno(rawValue: -started).description
            throw LaunchFailure("cannot start \(path): \(reason)")
        }
        var status: Int32 = 0
        while waitpid(started, &status, 0) < 0 && errno == EINTR {}
        return ExitStatus(waitStatus: status)
    }
}

extension Launch {
    /// A run in a machine of Firecracker.
    func runInFirecracker(
        image: String,
        files: KernelProcess.Files
    ) throws(LaunchFailure) -> Int32 {
        let path = try Firecracker.requirePath()
        let module = try BootModule.make(files)
        let machine = Firecracker(
            image: absolutePath(image) ?? image,
            memory: (request.memoryLimit ?? MemorySize.ofMachine) + BootModule.size(of: module)
        )
        if request.verbosity == .verbose {
            reportLine("starts \(path) with\n\(machine.configuration)")
        }
        let end = try machine.run(path, module: module)
        let ending =
            end.signal.map { "was killed by signal \($0)" } ?? "ended with status \(end.code)"
        reportLine("\(request.program): Firecracker \(ending); see what it said above")
        return LaunchFailure.unirunStatus
    }
}
