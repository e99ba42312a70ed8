import Glibc
import SystemPackage
import TenderSupport

/// The kernel image in a machine of QEMU, and `unirun`'s end of the link to it.
struct VirtualMachine {
    let pid: pid_t
    /// A socket: see `MachineLink`.
    let link: Int32
    /// A pipe with the kernel's last words.
    let console: Int32

    static let emulator = HostTool(name: "qemu-system-x86_64", package: "qemu-system-x86")

    /// Descriptors that QEMU finds open.
    private static let moduleDescriptor = 3
    private static let linkDescriptor = 4
    private static let consoleDescriptor = 5

    /// Starts `image` with the boot module. QEMU dies with the calling thread.
    ///
    /// - Parameter memory: bytes, the module's not among them.
    init(
        image: String,
        module: Int32,
        memory: UInt64,
        model: MachineModel,
        accelerator: Accelerator
    ) throws(LaunchFailure) {
        let emulator = try Self.emulator.requirePath(for: "run a virtual machine")
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw LaunchFailure("cannot make the machine's link: \(lastErrorText())")
        }
        // QEMU takes no standard stream for a device, and nothing that can be read as well.
        var console: [Int32] = [-1, -1]
        guard pipe(&console) == 0 else {
            throw LaunchFailure("cannot make the machine's console: \(lastErrorText())")
        }
        let command = [emulator] + Self.options(image, memory, model, accelerator)
        var arguments = command.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        let started = emulator.withCString { path in
            arguments.withUnsafeMutableBufferPointer { arguments in
                environment.withUnsafeMutableBufferPointer { environment in
                    var start = tender_start()
                    start.image = path
                    start.arguments = UnsafePointer(arguments.baseAddress)
                    start.environment = UnsafePointer(environment.baseAddress)
                    start.descriptors = (0, 1, 2, module, ends[1], console[1], -1, -1, -1, -1)
                    start.has_own_group = true
                    return tender_start_kernel(&start)
                }
            }
        }
        guard started > 0 else {
            let reason = Errno(rawValue: -started).description
            throw LaunchFailure("cannot start \(emulator): \(reason)")
        }
        close(ends[1])
        close(console[1])
        pid = started
        link = ends[0]
        self.console = console[0]
    }

    private static func options(
        _ image: String,
        _ memory: UInt64,
        _ model: MachineModel,
        _ accelerator: Accelerator
    ) -> [String] {
        let machine =
            switch model {
            case .microvm: "microvm,x-option-roms=off,pit=off,pic=off,rtc=on,isa-serial=off"
            case .q35: "q35,usb=off,sata=off,smbus=off"
            }
        return [
            "-machine", machine,
            "-accel", accelerator.rawValue,
            "-cpu", "max",
            "-m", "\((memory + (1 << 20) - 1) >> 20)M",
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
            "-sandbox",
            "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-add-fd", "set=1,fd=\(consoleDescriptor)",
            "-chardev", "file,id=console,path=/dev/fdset/1,append=on",
            "-device", "isa-serial,chardev=console,iobase=0x3f8,irq=4",
            "-chardev", "socket,id=link,fd=\(linkDescriptor)",
            "-device", "isa-serial,chardev=link,iobase=0x2f8,irq=3",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            "-kernel", image,
            "-initrd", "/proc/self/fd/\(moduleDescriptor)",
        ]
    }
}
