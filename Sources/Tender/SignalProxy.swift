import Glibc
import TenderSupport

/// Takes the signals sent to `unirun` from a descriptor and hands those meant for the program on.
///
/// The terminal signals the whole process group, so the kernel image has its own copy of those;
/// what a process sent with kill(2) came to `unirun` alone. As `docker run --sig-proxy` does it.
struct SignalProxy {
    let descriptor: Int32
    /// What the program was sent last.
    private(set) var lastForwarded: Int32 = 0

    /// Left as they are: those that a fault raises, `SIGPIPE`, and the two nobody can catch.
    private static func isUntouched(_ signal: Int32) -> Bool {
        switch signal {
        case SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGPIPE, SIGKILL, SIGSTOP: true
        // The C library's own.
        case 32, 33: true
        default: false
        }
    }

    /// Blocks the signals of the calling thread and opens the descriptor.
    init() throws(LaunchFailure) {
        // A parent that ignores SIGCHLD would have the kernel's exit status thrown away.
        signal(SIGCHLD, SIG_DFL)
        let taken = (1...Int32(64)).lazy.filter { !Self.isUntouched($0) }
        var mask = SignalMask.set(of: taken)
        sigprocmask(SIG_BLOCK, &mask, nil)
        descriptor = signalfd(-1, &mask, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard descriptor >= 0 else {
            throw LaunchFailure("cannot watch signals: \(lastErrorText())")
        }
    }

    /// Bit n-1 for each signal n that is ignored, which the program inherits (signal(7)).
    static func ignoredSignals() -> UInt64 {
        var ignored: UInt64 = 0
        for number in 1...Int32(64) where number != SIGCHLD {
            var action = sigaction()
            guard sigaction(number, nil, &action) == 0 else { continue }
            let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
            if handler == 1 { ignored |= 1 << UInt64(number - 1) }
        }
        return ignored
    }

    /// Forwards all that is pending; returns whether a child changed its state.
    mutating func drain(to kernel: KernelProcess) -> Bool {
        var childChanged = false
        var last = lastForwarded
        drain { information in
            let number = Int32(information.ssi_signo)
            if number == SIGCHLD {
                childChanged = true
            } else if isForProgram(information) {
                last = number
                // A stopped process goes on by the signal itself alone.
                if number == SIGCONT { kill(kernel.pid, SIGCONT) }
                kernel.post(number)
            }
        }
        lastForwarded = last
        return childChanged
    }

    /// Hands over all that is pending, what a terminal sent to this process included.
    func drain(_ take: (signalfd_siginfo) -> Void) {
        var information = signalfd_siginfo()
        while read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size) > 0 {
            take(information)
        }
    }

    private func isForProgram(_ information: signalfd_siginfo) -> Bool {
        // SI_USER, SI_QUEUE and SI_TKILL: a process sent it.
        if information.ssi_code <= 0 { return true }
        // Of a hangup the session's leader alone is told (tty_ioctl(4)).
        return Int32(information.ssi_signo) == SIGHUP && getsid(0) == getpid()
    }

    /// Stops this process by `signal` as if it had not been blocked; returns when continued.
    static func stop(by number: Int32) {
        let usual = signal(number, SIG_DFL)
        kill(getpid(), number)
        var mask = SignalMask.set(of: [number])
        var previous = sigset_t()
        sigprocmask(SIG_UNBLOCK, &mask, &previous)
        sigprocmask(SIG_SETMASK, &previous, nil)
        signal(number, usual)
    }
}
