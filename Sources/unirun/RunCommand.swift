import ArgumentParser
import Glibc
import Tender

/// `unirun run`: the options of one run, in the conventions of `docker run`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a program (what unirun does when no command is named).",
        usage: "unirun [run] [OPTIONS] PROGRAM [ARG...]",
        discussion: """
            PROGRAM is a path; a name without a slash is searched in PATH. It appears in the guest \
            at the path by which it was named. With --rootfs a program of the root can be named, \
            too. The program finds PATH, HOSTNAME and HOME in its environment as a container's \
            does, and of the host's environment TERM and what -e names.
            """
    )

    @OptionGroup(title: "Program") var program: ProgramOptions
    @OptionGroup(title: "File system") var files: FileOptions
    @OptionGroup(title: "Folders of the host") var volumes: VolumeOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Observation") var observation: ObservationOptions

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The program and its arguments.", valueName: "program")
    )
    var command: [String] = []

    mutating func run() throws {
        try ProgramWords.require(&command, of: self, Self.advice)
        try machine.validatePlatform(hasVolumes: !volumes.volume.isEmpty)
        var request = LaunchRequest(program: command[0])
        request.arguments = RawArguments.last(command.count - 1)
        try program.apply(to: &request)
        try files.apply(to: &request)
        try volumes.apply(to: &request)
        try machine.apply(to: &request)
        try observation.apply(to: &request)
        Glibc.exit(try Launch(request).run())
    }

    /// What users of `docker run` try first.
    private static func advice(_ option: String) -> String {
        switch option {
        case "-i", "-t", "-it", "-ti", "--interactive", "--tty", "--rm", "--init":
            "it is so without it: leave it out"
        case "--mount": "write --volume HOST:GUEST"
        case "-p", "--publish": "no ports are published in this version; see --network"
        case "--net": "write --network"
        case "-d", "--detach": "let the shell do it: unirun PROGRAM &"
        default: "see unirun --help"
        }
    }
}

/// The words of a command line that name a program and its arguments.
enum ProgramWords {
    /// The parser hands over all that it does not know, so what begins with `-` is a mistake.
    static func require(
        _ words: inout [String],
        of command: some ParsableCommand,
        _ advice: (String) -> String
    ) throws {
        let isSeparated = words.first == "--"
        if isSeparated { words.removeFirst() }
        guard let first = words.first else { throw LaunchFailure.noProgram }
        guard !isSeparated, first.hasPrefix("-"), first.count > 1 else { return }
        if first == "-h" || first == "--help" { throw CleanExit.helpRequest(command) }
        throw LaunchFailure("unknown option '\(first)'; \(advice(first))")
    }
}

extension LaunchFailure {
    static let noProgram = LaunchFailure(
        "no program is named; give its path, as unirun ./hello; see unirun --help"
    )
}

/// The command line as bytes: `CommandLine.arguments` repairs what is not UTF-8.
enum RawArguments {
    /// The last `count` arguments.
    static func last(_ count: Int) -> [[UInt8]] {
        let total = Int(CommandLine.argc)
        return (max(total - count, 0)..<total).map { index in
            guard let text = CommandLine.unsafeArgv[index] else { return [] }
            return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        }
    }
}
