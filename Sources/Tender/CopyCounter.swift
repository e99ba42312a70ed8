import Glibc
import TenderSupport

/// Bounds how many processes of the host an instance has: the kernel's filter asks before each copy
/// (docs/adr/0020), so that a program that comes to the kernel's host calls cannot make them without end.
struct CopyCounter {
    /// As many as the kernel has numbers for, with those of them that are just ending.
    static var limit: Int { 4096 + 64 }

    /// Where the filter asks (seccomp_unotify(2)), or -1.
    private(set) var listener: Int32 = -1
    private var alive = 0
    /// When they were last counted one by one.
    private var counted = time_t(0)

    /// Takes the listener from the process that has it. Zero, or an errno: also that by which the host
    /// refused one, as which `descriptor` then counts.
    mutating func listen(_ process: pid_t, _ descriptor: Int32) -> Int32 {
        guard listener < 0 else { return 0 }
        let taken = descriptor < 0 ? descriptor : tender_take_listener(process, descriptor)
        listener = max(taken, -1)
        return max(-taken, 0)
    }

    /// Answers the copy that is asked for. Zero, or an errno when what was taken is no listener.
    mutating func answer() -> Int32 {
        if alive >= Self.limit { recount() }
        let allowed = tender_answer_copy(listener, alive < Self.limit)
        if allowed > 0 { alive += 1 }
        return max(-allowed, 0)
    }

    mutating func noteEnd() { alive -= 1 }

    /// A copy may have failed after it was allowed. Counting takes long: not each time that somebody asks.
    private mutating func recount() {
        let now = time(nil)
        guard now != counted else { return }
        counted = now
        alive = ChildProcesses.all.count
    }
}
