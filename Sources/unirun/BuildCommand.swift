import ArgumentParser
import Tender

/// `unirun build`: a program as a file that machines boot.
struct BuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Write a program and the kernel as a disk that machines boot by themselves.",
        usage: "unirun build [--format FORMAT] -o FILE [OPTIONS] PROGRAM [ARG...]",
        discussion: """
            FORMAT iso is a disk, and a CD as well, that boots by BIOS and UEFI; it needs GRUB from \
            Debian's packages. FORMAT module is the program alone, for \
            qemu-system-x86_64 -kernel unirun.kernel -initrd FILE.

            There the program's terminal is the machine's first serial port, or a virtio console \
            where there is no such port; its end turns the machine off. A screen shows nothing. The \
            program gets TERM=vt220 unless -e says otherwise.

            Not in this version: manifests, other formats of disks, and disks that the program may \
            write to.
            """
    )

    @Option(help: "What to write.")
    var format = Choice(BootImageFormat.iso)

    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "FILE"))
    var output: String

    @OptionGroup(title: "Program") var program: ProgramOptions
    @OptionGroup(title: "File system") var files: FileOptions

    @Option(help: ArgumentHelp("The guest's host name (default: unirun).", valueName: "NAME"))
    var hostname: String?

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The program and its arguments.", valueName: "program")
    )
    var command: [String] = []

    mutating func run() throws {
        try ProgramWords.require(&command, of: self) { _ in "see unirun build --help" }
        var request = LaunchRequest(program: command[0])
        request.arguments = RawArguments.last(command.count - 1)
        // This host's terminal is not the machine's.
        program.environment.insert("TERM=vt220", at: 0)
        try program.apply(to: &request)
        try files.apply(to: &request)
        try MachineOptions.apply(hostname: hostname, to: &request)
        try BootImage(request).write(try format.value(of: "format"), to: output)
    }
}
