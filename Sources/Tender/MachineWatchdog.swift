import Glibc

/// Finds out when a machine will never answer again: its program turned interrupts off (`cli; hlt`),
/// or broke what the kernel needs to be called.
///
/// A kernel answers a ping in an interrupt, whatever it or its program is doing: one that merely
/// sleeps or computes does so too. Time alone proves nothing, for the host may be busy or asleep. So a
/// ping counts as refused when the machine ran for seconds of processor time and did not answer, or
/// when all its threads sleep each time they are looked at and it did not answer.
struct MachineWatchdog {
    enum Verdict {
        case fine
        /// It is to be asked.
        case ping
        /// It does not answer, and is to be interrupted by what cannot be turned off.
        case interrupt
        /// Neither did that help.
        case hopeless
    }

    private enum Stage {
        /// The kernel has not spoken yet.
        case starting
        case quiet
        case pinged
        case interrupted
    }

    private let use: ProcessorUse
    private var stage = Stage.starting
    /// Milliseconds of the monotonic clock.
    private var nextLook: Int64
    /// Grows while the machine has nothing to say, so that it may sleep.
    private var pause = shortestPause
    /// Since it was asked: milliseconds that it ran, and looks that found it asleep.
    private var ran: Int64 = 0
    private var looksAsleep = 0
    private var lastUse: Int64 = 0

    private static let shortestPause: Int64 = 1000
    private static let longestPause: Int64 = 8000
    private static let refusedAfter: Int64 = 4000
    private static let refusedLooks = 3
    /// Starting is work that nothing can be asked about; a look may find it waiting for its disk.
    private static let startFailedAfter: Int64 = 60_000
    private static let startFailedLooks = 10

    init(pid: pid_t) {
        use = ProcessorUse(pid: pid)
        nextLook = Self.now() + Self.shortestPause
    }

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Until the next look, for poll(2).
    var timeout: Int32 { Int32(max(nextLook - Self.now(), 0)) }

    /// The kernel said something; `isAnswer` when it was only that it is there.
    mutating func heard(isAnswer: Bool) {
        pause = isAnswer ? min(pause * 2, Self.longestPause) : Self.shortestPause
        stage = .quiet
        nextLook = Self.now() + pause
    }

    /// Looks at the machine when it is time to.
    mutating func look() -> Verdict {
        guard Self.now() >= nextLook else { return .fine }
        nextLook = Self.now() + Self.shortestPause
        guard stage != .quiet else {
            begin(.pinged)
            return .ping
        }
        observe()
        switch stage {
        case .starting:
            return isRefused(Self.startFailedAfter, Self.startFailedLooks) ? .hopeless : .fine
        case .pinged where isRefused(Self.refusedAfter, Self.refusedLooks):
            begin(.interrupted)
            return .interrupt
        case .interrupted where isRefused(Self.refusedAfter, Self.refusedLooks):
            return .hopeless
        default: return .fine
        }
    }

    private func isRefused(_ time: Int64, _ looks: Int) -> Bool {
        ran >= time || looksAsleep >= looks
    }

    private mutating func begin(_ stage: Stage) {
        self.stage = stage
        (ran, looksAsleep) = (0, 0)
        lastUse = use.milliseconds() ?? 0
    }

    private mutating func observe() {
        guard let time = use.milliseconds(), let activity = use.activity() else { return }
        let passed = time - lastUse
        lastUse = time
        switch activity {
        case .stopped: (ran, looksAsleep) = (0, 0)
        case .asleep where passed < 50: looksAsleep += 1
        case .asleep, .awake:
            looksAsleep = 0
            ran += passed
        }
    }
}

/// What the host tells about a process and its threads: proc_pid_stat(5).
struct ProcessorUse {
    let pid: pid_t

    enum Activity {
        /// Every thread waits for something.
        case asleep
        case awake
        /// By a signal or a debugger.
        case stopped
    }

    /// Processor time of all its threads.
    func milliseconds() -> Int64? {
        guard let words = words("/proc/\(pid)/stat"), words.count > 12,
            let user = Int64(words[11]), let system = Int64(words[12])
        else { return nil }
        return (user + system) * 1000 / Int64(sysconf(Int32(_SC_CLK_TCK)))
    }

    func activity() -> Activity? {
        guard let folder = opendir("/proc/\(pid)/task") else { return nil }
        defer { closedir(folder) }
        var activity: Activity?
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.first != ".", let words = words("/proc/\(pid)/task/\(name)/stat") else {
                continue
            }
            switch words[0] {
            case "T", "t": return .stopped
            case "S", "I": activity = activity ?? .asleep
            default: activity = .awake
            }
        }
        return activity
    }

    /// What follows the name, which is in parentheses and may hold anything: the state first.
    private func words(_ path: String) -> [Substring]? {
        let descriptor = openFile(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let text = String(decoding: readAll(descriptor) ?? [], as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let words = text[text.index(after: end)...].split(separator: " ")
        return words.isEmpty ? nil : words
    }
}
