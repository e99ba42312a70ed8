import Glibc
import LaunchRecord
import SystemPackage
import TenderSupport

/// The kernel image as a host process, and `unirun`'s ends of what it was given.
struct KernelProcess {
    let pid: pid_t
    /// `unirun`'s end of the control socket.
    let control: Int32
    /// A memfd with the machine's memory.
    let memory: Int32
    /// A memfd with the `--stats` lines, or -1.
    let statistics: Int32

    /// Signals that wait for the program; nil where the memory cannot be mapped.
    private let waiting: UnsafeMutablePointer<UInt64>?

    /// Hands the program a signal.
    func post(_ signal: Int32) {
        guard let waiting else { return }
        let before = tender_add_bits(waiting, 1 << UInt64(signal - 1))
        // Otherwise the bell was rung, and the kernel has not looked yet.
        if before == 0 { kill(pid, HostSignal.bell) }
    }

    /// What the image is given; -1 for none.
    struct Files {
        var launchRecord: Int32
        var program: Int32 = -1
        var rootImage: Int32 = -1
        var memory: Int32
        var trace: Int32 = -1
        var statistics: Int32 = -1
        var folders: Int32 = -1
        var core: Int32 = -1
    }

    /// Starts `image`. It dies with the calling thread.
    ///
    /// - Parameter title: what the host's process list shows.
    init(
        image: String,
        title: [String],
        files: Files,
        stopsForDebugger: Bool
    ) throws(LaunchFailure) {
        let ends = socketPair()
        guard ends.own >= 0 else {
            throw LaunchFailure("cannot make the control socket: \(lastErrorText())")
        }
        let started = tender_start.run(image, title) { start in
            start.descriptors = (
                0, 1, 2, files.launchRecord, files.program, files.rootImage, ends.other,
                files.memory, files.trace, files.statistics, files.folders, files.core
            )
            start.stop_for_debugger = stopsForDebugger
        }
        guard started > 0 else {
            let reason = Errno(rawValue: -started).description
            throw LaunchFailure("cannot start the kernel image \(image): \(reason); run make build")
        }
        close(ends.other)
        pid = started
        control = ends.own
        memory = files.memory
        waiting = Self.mapWaiting(files.memory)
        statistics = files.statistics
    }
}

extension KernelProcess {
    private static func mapWaiting(_ memory: Int32) -> UnsafeMutablePointer<UInt64>? {
        let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0)
        guard let page, page != MAP_FAILED else { return nil }
        return (page + HostSignal.wordOffset).assumingMemoryBound(to: UInt64.self)
    }
}

extension tender_start {
    /// Starts the program at `path`, whose environment is empty; the pid, or a negated errno.
    static func run(
        _ path: String,
        _ arguments: [String],
        _ configure: (inout tender_start) -> Void
    ) -> pid_t {
        var arguments = arguments.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        return path.withCString { path in
            arguments.withUnsafeMutableBufferPointer { arguments in
                environment.withUnsafeMutableBufferPointer { environment in
                    var start = tender_start()
                    start.image = path
                    start.arguments = UnsafePointer(arguments.baseAddress)
                    start.environment = UnsafePointer(environment.baseAddress)
                    configure(&start)
                    return tender_start_kernel(&start)
                }
            }
        }
    }
}

/// The two ends of a stream between `unirun` and what it starts; -1 twice when there is none.
func socketPair() -> (own: Int32, other: Int32) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return (-1, -1) }
    return (ends[0], ends[1])
}

/// Anonymous files of the host (memfd_create(2)).
enum MemoryFile {
    /// A file of `size` bytes that are not there until they are touched.
    static func make(_ name: String, size: UInt64) throws(LaunchFailure) -> Int32 {
        let descriptor = tender_memory_file(name)
        // Under `ulimit -f` growing a file is answered with SIGXFSZ, whose default kills.
        let usual = signal(SIGXFSZ, SIG_IGN)
        defer { signal(SIGXFSZ, usual) }
        guard descriptor >= 0, ftruncate(descriptor, off_t(size)) == 0 else {
            throw LaunchFailure(
                "cannot set \(size >> 20) MiB of memory aside: \(lastErrorText()); "
                    + "ask for less with --memory, or raise ulimit -f"
            )
        }
        return descriptor
    }

    static func make(_ name: String, holding bytes: [UInt8]) throws(LaunchFailure) -> Int32 {
        let descriptor = tender_memory_file(name)
        guard descriptor >= 0, bytes.withUnsafeBytes({ writeAll(descriptor, $0) }) else {
            throw LaunchFailure("cannot write the \(name): \(lastErrorText())")
        }
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }
}
