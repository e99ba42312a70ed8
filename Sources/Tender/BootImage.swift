import Glibc
import SystemPackage
import TenderSupport

/// What `unirun build` writes.
public enum BootImageFormat: String, Sendable, CaseIterable {
    /// A disk that is a CD, too: for BIOS and UEFI, by GRUB.
    case iso
    /// The boot module alone, for those who start the kernel image themselves.
    case module
}

/// A program in a file that machines boot without `unirun`.
public struct BootImage {
    private let request: LaunchRequest

    public init(_ request: LaunchRequest) {
        var request = request
        request.hasOwnTerminal = true
        self.request = request
    }

    /// Writes the file; what stood there before stays until the new one is whole.
    public func write(_ format: BootImageFormat, to path: String) throws(LaunchFailure) {
        let tools = try format == .iso ? DiskTools() : nil
        let prepared = try Launch(request).prepare([])
        let module = try BootModule.make(prepared.files)
        let unfinished = "\(path).\(getpid())"
        // What writes disks says less clearly why it cannot.
        let file = openFile(unfinished, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        guard file >= 0 else { throw Self.failure(path) }
        close(file)
        defer { unlink(unfinished) }
        if let tools {
            try tools.write(kernel: prepared.image, module: module, to: unfinished)
        } else {
            try Self.copy(module, to: unfinished)
        }
        guard rename(unfinished, path) == 0 else { throw Self.failure(path) }
    }

    static func failure(_ path: String) -> LaunchFailure {
        LaunchFailure("cannot write \(path): \(lastErrorText())")
    }

    /// Copies all of an open file.
    static func copy(_ file: Int32, to path: String) throws(LaunchFailure) {
        let target = openFile(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        guard target >= 0 else { throw failure(path) }
        defer { close(target) }
        guard copyWhole(file, to: target) != nil else { throw failure(path) }
    }
}

/// Debian's GRUB, and what it needs to write disks.
struct DiskTools {
    private static let purpose = "write a disk"
    private let maker: String

    /// One line about what is missing.
    init() throws(LaunchFailure) {
        maker = try HostTool(name: "grub-mkrescue", package: "grub-common")
            .requirePath(for: Self.purpose)
        _ = try HostTool(name: "xorriso", package: "xorriso").requirePath(for: Self.purpose)
        _ = try HostTool(name: "mformat", package: "mtools").requirePath(for: Self.purpose)
        for (firmware, package) in [
            ("i386-pc", "grub-pc-bin"), ("x86_64-efi", "grub-efi-amd64-bin"),
        ] {
            guard access("/usr/lib/grub/\(firmware)/moddep.lst", R_OK) == 0 else {
                throw LaunchFailure(
                    "cannot \(Self.purpose): GRUB for \(firmware) is not installed; "
                        + "on Debian: apt-get install \(package)"
                )
            }
        }
    }

    /// What GRUB is built to begin with names all kinds of partition tables.
    private static let modules =
        "multiboot2 normal iso9660 search boot part_acorn part_amiga part_apple part_bsd part_dfly "
        + "part_dvh part_gpt part_msdos part_plan part_sun part_sunpc"

    private static let configuration = """
        multiboot2 /boot/unirun.kernel
        module2 /boot/unirun.module
        boot

        """

    func write(kernel: String, module: Int32, to path: String) throws(LaunchFailure) {
        var template = Array("\(hostVariable("TMPDIR") ?? "/tmp")/unirun-build-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw LaunchFailure("cannot \(Self.purpose): no work folder: \(lastErrorText())")
        }
        let folder = String(cString: template)
        let boot = "\(folder)/boot"
        let parts = ["\(boot)/unirun.kernel", "\(boot)/unirun.module", "\(boot)/grub/grub.cfg"]
        defer {
            parts.forEach { unlink($0) }
            for each in ["\(boot)/grub", boot, folder] { rmdir(each) }
        }
        guard mkdir(boot, 0o755) == 0, mkdir("\(boot)/grub", 0o755) == 0 else {
            throw BootImage.failure(boot)
        }
        let image = openFile(kernel, O_RDONLY)
        guard image >= 0 else { throw BootImage.failure(kernel) }
        defer { close(image) }
        let configuration = try MemoryFile.make(
            "GRUB's file",
            holding: Array(Self.configuration.utf8)
        )
        defer { close(configuration) }
        for (file, part) in zip([image, module, configuration], parts) {
            try BootImage.copy(file, to: part)
        }
        // What it has beside these is for menus.
        let failure = HostTool.run([
            maker, "--install-modules=\(Self.modules)",
            "--locales=", "--fonts=", "--themes=", "-o", path, folder, "--", "-volid", "UNIRUN",
        ])
        if let failure { throw LaunchFailure("cannot \(Self.purpose): grub-mkrescue: \(failure)") }
    }
}
