import Glibc
import SystemPackage
import TenderSupport

/// A program of the host that `unirun` needs for a moment, as `mkfs.erofs`.
struct HostTool {
    var name: String
    /// The Debian package that has it.
    var package: String

    static let imageMaker = HostTool(name: "mkfs.erofs", package: "erofs-utils")
    static let archiver = HostTool(name: "tar", package: "tar")
    static let ownerKeeper = HostTool(name: "fakeroot", package: "fakeroot")

    /// Debian leaves these out of an ordinary user's `PATH`.
    private static let administrationFolders = ["/usr/sbin", "/sbin"]

    /// The tool's path, or `nil` when it is not installed.
    func path() -> String? {
        let folders = (hostVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        for folder in folders.map(String.init) + Self.administrationFolders {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }

    func requirePath(for purpose: String) throws(LaunchFailure) -> String {
        if let path = path() { return path }
        throw LaunchFailure(
            "cannot \(purpose): \(name) is not installed; on Debian: apt-get install \(package)"
        )
    }

    /// Runs a command to its end.
    ///
    /// - Returns: `nil` when it succeeded, else the last line that it wrote, or how it ended.
    static func run(_ command: [String]) -> String? {
        let output = tender_memory_file("output")
        defer { close(output) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        // The caller may have blocked signals to survive them; the tool is not to.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = SignalMask.set(of: [])
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = command.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, command[0], &actions, &attributes, &arguments, environ)
        guard failure == 0 else { return Errno(rawValue: failure).description }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status == 0 ? nil : describe(status, output)
    }

    private static func describe(_ status: Int32, _ output: Int32) -> String {
        lseek(output, 0, SEEK_SET)
        let text = String(decoding: readAll(output) ?? [], as: UTF8.self)
        if let line = text.split(whereSeparator: \.isNewline).last { return String(line) }
        let ending = ExitStatus(waitStatus: status)
        return ending.signal.map { "it was killed by signal \($0)" }
            ?? "it exited with \(ending.code)"
    }
}

/// What wait(2) tells about a child that ended.
struct ExitStatus: Equatable {
    /// The status of exit_group(2); 0 when a signal ended it.
    var code: Int32
    var signal: Int32?

    init(waitStatus: Int32) {
        let number = waitStatus & 0x7f
        code = number == 0 ? (waitStatus >> 8) & 0xff : 0
        signal = number == 0 ? nil : number
    }
}
