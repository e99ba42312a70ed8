import Foundation
import Testing

/// Boot modules and root images that are damaged end the machine in one line.
@Suite(.enabled(if: Command.isBuilt && Command.isMachine)) struct MachineImageTests {
    /// What a boot loader may bring in the place of a module that `unirun` packed.
    enum Module: CaseIterable {
        case none, garbage, shorterThanItsRecord, brokenItem, programBeyondTheEnd

        var bytes: Data? {
            let magic = Data("UNIRUN\0\0".utf8) + Data([1, 0, 0, 0])
            let zeros = Data(count: 4096)
            switch self {
            case .none: return nil
            case .garbage: return Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 167) })
            case .shorterThanItsRecord: return magic + Data([0, 0, 1, 0]) + zeros
            case .brokenItem:
                return magic + Data([0x40, 0, 0, 0, 0xff, 0xff, 0, 0])
                    + Data(repeating: 0xff, count: 4)
                    + zeros
            case .programBeyondTheEnd:
                return magic + Data([0x20, 0, 0, 0, 12, 0, 0, 0, 8, 0, 0, 0])
                    + Data(repeating: 0xff, count: 7) + Data([0x7f]) + zeros
            }
        }
    }

    /// What a machine has to say it with.
    enum Console: CaseIterable {
        case serial, virtio, virtioOverPCI

        var options: [String] {
            switch self {
            case .serial:
                ["-machine", "microvm,rtc=on,isa-serial=off"]
                    + ["-device", "isa-serial,chardev=console,iobase=0x3f8,irq=4"]
            case .virtio:
                ["-machine", "microvm,acpi=off,rtc=on,isa-serial=off"]
                    + ["-global", "virtio-mmio.force-legacy=off"]
                    + ["-device", "virtio-serial-device,max_ports=1"]
                    + ["-device", "virtconsole,chardev=console"]
            case .virtioOverPCI:
                ["-machine", "q35"] + [
                    "-device", "virtio-serial-pci,disable-legacy=on,max_ports=1",
                ]
                    + ["-device", "virtconsole,chardev=console"]
            }
        }
    }

    @Test(arguments: Module.allCases, Console.allCases)
    func aDamagedModuleIsRefused(module: Module, console: Console) throws {
        let scratch = try ScratchFolder()
        var command =
            [
                "/usr/bin/qemu-system-x86_64", "-nodefaults", "-no-user-config",
                "-accel", "tcg", "-cpu", "max", "-m", "32M",
                "-no-reboot", "-display", "none", "-kernel", KernelImage.path,
                "-chardev", "stdio,id=console,signal=off",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            ] + console.options
        if let bytes = module.bytes {
            try bytes.write(to: URL(fileURLWithPath: scratch.path + "/module"))
            command += ["-initrd", scratch.path + "/module"]
        }
        let run = try Execution.run(
            command,
            environment: Command.environment,
            timeLimit: ProgramTests.timeLimit
        )
        #expect(!run.timedOut)
        #expect(run.status == 2 * 125 + 1)
        #expect(run.outputText.hasPrefix("unirun: "))
        #expect(run.outputText.split(separator: "\n").count == 1, "\(run.outputText)")
    }

    /// An image with many folders, so that much of it is metadata.
    private func image(in folder: String, _ program: String) throws -> Data {
        let root = folder + "/root"
        for number in 0..<100 {
            let path = "\(root)/folder-\(number)"
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
            try Data("text".utf8).write(to: URL(fileURLWithPath: path + "/file"))
        }
        try FileManager.default.copyItem(atPath: program, toPath: root + "/program")
        let made = try Execution.run(
            ["/usr/bin/mkfs.erofs", "--quiet", "-Enoinline_data", folder + "/image", root],
            environment: Command.environment,
            timeLimit: ProgramTests.timeLimit
        )
        try #require(made.status == 0)
        return try Data(contentsOf: URL(fileURLWithPath: folder + "/image"))
    }

    enum Damage: CaseIterable {
        case none, cutAfterTheHeader, cutInHalf, metadataOverwritten

        func apply(to image: Data) -> Data {
            switch self {
            case .none: return image
            case .cutAfterTheHeader: return image.prefix(2048)
            case .cutInHalf: return image.prefix(image.count / 2)
            case .metadataOverwritten:
                var image = image
                image.replaceSubrange(
                    1152..<16384,
                    with: Data(repeating: 0xa5, count: 16384 - 1152)
                )
                return image
            }
        }
    }

    @Test(arguments: Damage.allCases)
    func aDamagedRootIsRefused(damage: Damage) throws {
        let scratch = try ScratchFolder()
        let source = Program.folder.appendingPathComponent("faults/misbehaves.c")
        let program = try Build(program: Program(source: source), library: .glibc).executable()
        let image = damage.apply(to: try image(in: scratch.path, program.path))
        try image.write(to: URL(fileURLWithPath: scratch.path + "/damaged"))
        let run = try Execution.run(
            [Command.path, "run", "--rootfs", scratch.path + "/damaged"] + Command.options
                + ["--", "/program", "returns"],
            environment: Command.environment,
            timeLimit: ProgramTests.timeLimit
        )
        #expect(!run.timedOut)
        if damage == .none {
            #expect(run.status == 0)
            #expect(run.outputText == "begins\ngoes on\n")
            return
        }
        #expect((125...127).contains(run.status))
        #expect(run.errorText.hasPrefix("unirun: "))
        #expect(run.errorText.split(separator: "\n").count == 1, "\(run.errorText)")
    }
}
