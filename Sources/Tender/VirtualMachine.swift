import Glibc
import SystemPackage
import TenderSupport

/// The kernel image in a machine of QEMU, and `unirun`'s end of the link to it.
struct VirtualMachine {
    let pid: pid_t
    /// A socket: see `MachineLink`.
    let link: Int32
    let monitor: MachineMonitor
    /// What QEMU says, where somebody has to understand it; nil where it goes to standard error.
    let messages: Int32?
    /// What its card is at the other end of.
    let network: TapInterface?
    /// What QEMU calls that.
    static let networkName = "network"

    static let emulator = HostTool(name: "qemu-system-x86_64", package: "qemu-system-x86")

    /// Descriptors that QEMU finds open.
    private static let moduleDescriptor = 3
    private static let linkDescriptor = 4
    private static let firstDiskDescriptor = 5
    private static let monitorDescriptor = 9
    private static let tapDescriptor = 10

    /// Starts `image` with the boot module. QEMU dies with the calling thread.
    ///
    /// - Parameters:
    ///   - emulator: QEMU's path.
    ///   - memory: bytes, the module's not among them.
    ///   - network: what its card is at the other end of; nil for no card.
    ///   - debuggerPort: where to wait for gdb before the first instruction.
    init(
        emulator: String,
        image: String,
        module: Int32,
        memory: UInt64,
        model: MachineModel,
        accelerator: Accelerator,
        disks: [DiskFile],
        volumes: [VolumeFolder],
        network: TapInterface?,
        debuggerPort: UInt16?
    ) throws(LaunchFailure) {
        let ends = socketPair()
        let monitor = socketPair()
        guard ends.own >= 0, monitor.own >= 0 else {
            throw LaunchFailure("cannot make the machine's link: \(lastErrorText())")
        }
        let messages: (own: Int32, other: Int32)? = accelerator == .kvm ? socketPair() : nil
        let command =
            [emulator]
            + Self.options(image, memory + BootModule.size(of: module), model, accelerator)
            + Self.disks(disks, model) + Self.volumes(volumes, model)
            + (network.map { Self.card($0, model) } ?? [])
            + (debuggerPort.map { ["-S", "-gdb", "tcp:127.0.0.1:\($0)"] } ?? [])
            + (hostVariable("UNIRUN_QEMU") ?? "").split(separator: " ").map(String.init)
        let disk = disks.map(\.descriptor) + Array(repeating: -1, count: DiskFile.limit)
        let started = tender_start.run(emulator, command) { start in
            start.descriptors = (
                0, 1, 2, module, ends.other, disk[0], disk[1], disk[2], disk[3], monitor.other,
                network?.descriptor ?? -1, -1
            )
            start.errors = max(messages?.other ?? 0, 0)
            start.has_own_group = true
        }
        guard started > 0 else {
            let reason = Errno(rawValue: -started).description
            throw LaunchFailure("cannot start \(emulator): \(reason)")
        }
        close(ends.other)
        close(monitor.other)
        if let messages { close(messages.other) }
        pid = started
        self.messages = messages?.own
        self.network = network
        link = ends.own
        self.monitor = MachineMonitor(descriptor: monitor.own)
    }

    private static func options(
        _ image: String,
        _ memory: UInt64,
        _ model: MachineModel,
        _ accelerator: Accelerator
    ) -> [String] {
        let machine =
            switch model {
            // Without ACPI its devices are announced on the kernel's command line.
            case .microvm:
                "microvm,acpi=off,x-option-roms=off,pit=off,pic=off,rtc=on,isa-serial=off"
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
            "-chardev", "socket,id=link,fd=\(linkDescriptor)",
            "-global", "virtio-mmio.force-legacy=off",
            "-device", device("serial", on: model, "max_ports=1"),
            "-device", "virtconsole,chardev=link",
            "-object", "rng-builtin,id=random",
            "-device", device("rng", on: model, "rng=random"),
            "-device", device("balloon", on: model, "free-page-reporting=on"),
            "-chardev", "socket,id=monitor,fd=\(monitorDescriptor)",
            "-mon", "chardev=monitor,mode=control",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            "-kernel", image,
            "-initrd", "/proc/self/fd/\(moduleDescriptor)",
        ]
    }

    private static func disks(_ disks: [DiskFile], _ model: MachineModel) -> [String] {
        disks.enumerated().flatMap { index, disk in
            let node = [
                "driver=raw", "node-name=disk\(index)", "discard=unmap",
                "read-only=\(disk.isReadOnly ? "on" : "off")",
                "file.driver=\(disk.isBlockDevice ? "host_device" : "file")",
                "file.filename=/dev/fdset/\(index + 1)",
            ]
            return [
                "-add-fd", "set=\(index + 1),fd=\(firstDiskDescriptor + index)",
                "-blockdev", node.joined(separator: ","),
                "-device", device("blk", on: model, "drive=disk\(index)"),
            ]
        }
    }

    /// QEMU serves folders itself. Files belong to who they belong to on the host; where QEMU may not give
    /// them away, new ones are its user's (`none`). Its own numbers keep apart the files of several devices.
    private static func volumes(_ volumes: [VolumeFolder], _ model: MachineModel) -> [String] {
        volumes.enumerated().flatMap { index, volume in
            let path = volume.path.split(separator: ",", omittingEmptySubsequences: false)
                .joined(separator: ",,")
            let folder = [
                "local", "id=volume\(index)", "path=\(path)", "security_model=none",
                "multidevs=remap", "readonly=\(volume.request.isReadOnly ? "on" : "off")",
            ]
            let tag = "fsdev=volume\(index),mount_tag=volume\(index)"
            return [
                "-fsdev", folder.joined(separator: ","), "-device", device("9p", on: model, tag),
            ]
        }
    }

    /// The card needs no boot code of its own, which is in another package than QEMU.
    private static func card(_ network: TapInterface, _ model: MachineModel) -> [String] {
        let boot = model == .q35 ? ["romfile="] : []
        let properties =
            [
                "netdev=\(networkName)", "mac=\(network.cardAddress)",
                "host_mtu=\(network.packetLimit)",
            ]
            + boot
        return [
            "-netdev", "tap,id=\(networkName),fd=\(tapDescriptor)",
            "-device", device("net", on: model, properties.joined(separator: ",")),
        ]
    }

    /// A virtio device as QEMU calls it on each machine.
    private static func device(_ kind: String, on model: MachineModel, _ properties: String...)
        -> String
    {
        let name =
            switch model {
            case .microvm: "virtio-\(kind)-device"
            case .q35: "virtio-\(kind)-pci,disable-legacy=on"
            }
        return ([name] + properties).joined(separator: ",")
    }
}
