import Foundation

/// What one run of a command left behind.
struct Execution: Equatable {
    var output: [UInt8]
    var error: [UInt8]
    /// The exit status; 128+n where signal n ended the command, as shells have it.
    var status: Int32
    /// Whether it ran too long and was killed.
    var timedOut = false

    var outputText: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: error, as: UTF8.self) }

    /// Runs a command in a session of files: nothing of this process is inherited but what is named.
    ///
    /// A command that runs longer than `timeLimit` seconds is killed, which shows as status 137
    /// and a line on its standard error.
    static func run(
        _ command: [String],
        environment: [String],
        folder: String = "/",
        input: String = "",
        timeLimit: Double
    ) throws -> Execution {
        let scratch = try ScratchFolder()
        let inputPath = scratch.path + "/in"
        let outputPath = scratch.path + "/out"
        let errorPath = scratch.path + "/err"
        try Data(input.utf8).write(to: URL(fileURLWithPath: inputPath))

        let process = try start(
            command,
            environment: environment,
            folder: folder,
            descriptors: [
                (inputPath, O_RDONLY), (outputPath, O_WRONLY | O_CREAT),
                (errorPath, O_WRONLY | O_CREAT),
            ]
        )
        let status = try wait(for: process, timeLimit: timeLimit)
        var error = [UInt8](try Data(contentsOf: URL(fileURLWithPath: errorPath)))
        if status == nil { error += Array("killed after \(timeLimit) s\n".utf8) }
        return Execution(
            output: [UInt8](try Data(contentsOf: URL(fileURLWithPath: outputPath))),
            error: error,
            status: status ?? 128 + SIGKILL,
            timedOut: status == nil
        )
    }

    /// Starts a command with the paths opened as descriptors 0, 1, 2 and with no other, in a
    /// session of its own: the first terminal that it opens then controls it.
    static func start(
        _ command: [String],
        environment: [String],
        folder: String,
        descriptors: [(path: String, flags: Int32)]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, each) in descriptors.enumerated() {
            let number = Int32(number)
            posix_spawn_file_actions_addopen(&actions, number, each.path, each.flags, 0o600)
        }
        _ = SpawnActions.changeFolder(&actions, folder)
        _ = SpawnActions.closeFrom(&actions, 3)
        return try spawn(command, environment: environment, actions: &actions)
    }

    /// Gives this process, and so all that it starts, the limits that Linux sets: whoever runs the
    /// tests may have others.
    private static let setUsualLimits: Void = {
        for (resource, soft) in [(RLIMIT_STACK, 8 << 20), (RLIMIT_CORE, 0)] {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
            limit.rlim_cur = min(rlim_t(soft), limit.rlim_max)
            setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        }
    }()

    private static func spawn(
        _ command: [String],
        environment: [String],
        actions: inout posix_spawn_file_actions_t
    ) throws -> pid_t {
        setUsualLimits
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which Swift's overlay lacks
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | newSession
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var arguments = command.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var process: pid_t = 0
        let failure = posix_spawn(
            &process,
            command[0],
            &actions,
            &attributes,
            &arguments,
            &variables
        )
        guard failure == 0 else {
            throw BuildFailure(description: "\(command[0]): \(String(cString: strerror(failure)))")
        }
        return process
    }

    /// The status of the finished process, nil where it had to be killed.
    static func wait(for process: pid_t, timeLimit: Double) throws -> Int32? {
        let deadline = Date(timeIntervalSinceNow: timeLimit)
        var status: Int32 = 0
        var pause: useconds_t = 500
        while waitpid(process, &status, WNOHANG) == 0 {
            if Date() > deadline {
                kill(process, SIGKILL)
                waitpid(process, &status, 0)
                return nil
            }
            usleep(pause)
            pause = min(pause * 2, 10_000)
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

/// File actions that glibc has and Swift's overlay does not show.
private enum SpawnActions {
    typealias Actions = UnsafeMutablePointer<posix_spawn_file_actions_t>
    typealias ChangeFolder = @convention(c) (Actions, UnsafePointer<CChar>) -> Int32
    typealias CloseFrom = @convention(c) (Actions, Int32) -> Int32

    static let changeFolder = unsafeBitCast(
        symbol("posix_spawn_file_actions_addchdir_np"),
        to: ChangeFolder.self
    )
    /// Descriptors that other tests open meanwhile must not reach the command.
    static let closeFrom = unsafeBitCast(
        symbol("posix_spawn_file_actions_addclosefrom_np"),
        to: CloseFrom.self
    )

    private static func symbol(_ name: String) -> UnsafeMutableRawPointer {
        guard let address = dlsym(nil, name) else { fatalError("this C library lacks \(name)") }
        return address
    }
}

/// A folder that is gone when its last user is. It lies on tmpfs where there is one, as the
/// guest's own root does, so that sizes and blocks are counted alike.
final class ScratchFolder {
    let path: String

    init() throws {
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        var template = Array((parent + "/unirun-test-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else {
            throw BuildFailure(description: "cannot make a folder in \(parent)")
        }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
