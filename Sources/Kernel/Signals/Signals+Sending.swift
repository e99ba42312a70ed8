import LinuxABI

/// Sending signals on behalf of a program: kill(2) and its kin.
extension Signals {
    /// Sends to the processes that kill(2) means by `id`; no signal only checks.
    ///
    /// Throws `noSuchProcess`, or `notPermitted` when none of them may be sent to.
    public static func kill(_ id: Int32, _ signal: Signal?) throws(Errno) {
        let sender = Process.current
        // The kernel itself, whom no signal reaches; it is there, as who looks for its parent asks.
        if id == Process.kernelID {
            guard sender.credentials.effectiveUser == 0 else { throw .notPermitted }
            return
        }
        if id > 0 {
            // A thread's number reaches its process.
            let target = ProcessTable.process(id) ?? ThreadTable.thread(id)?.process
            guard let target else { throw .noSuchProcess }
            try post(signal, to: target, from: sender)
            return
        }
        guard id != .min else { throw .noSuchProcess }
        var failure: Errno? = .noSuchProcess
        var isSent = false
        ProcessTable.forEach { process in
            switch id {
            case 0: guard process.groupID == sender.groupID else { return }
            case -1: guard process !== sender else { return }
            default: guard process.groupID == -id else { return }
            }
            do throws(Errno) {
                try post(signal, to: process, from: sender)
                isSent = true
            } catch { failure = error }
        }
        if !isSent, let failure { throw failure }
    }

    private static func post(_ signal: Signal?, to target: Process, from sender: Process)
        throws(Errno)
    {
        guard maySend(signal, to: target, from: sender) else { throw .notPermitted }
        guard let signal else { return }
        let information = SignalInformation(
            signal,
            code: SignalInformation.user,
            senderProcess: sender.id,
            senderUser: sender.credentials.realUser
        )
        try send(signal, information, to: target)
    }

    /// Sends to one thread, as tgkill(2); a `process` of zero is not compared, as tkill(2).
    public static func killThread(_ id: Int32, of process: Int32, _ signal: Signal?)
        throws(Errno)
    {
        let sender = Process.current
        let information = SignalInformation(
            signal ?? .kill,
            code: SignalInformation.threadKill,
            senderProcess: sender.id,
            senderUser: sender.credentials.realUser
        )
        try queue(signal, information, toThread: id, of: process)
    }

    /// Sends a signal with information of the program's own, as rt_sigqueueinfo(2).
    ///
    /// Throws `notPermitted` for information that only the kernel gives, to others than oneself.
    public static func queue(
        _ signal: Signal?,
        _ information: SignalInformation,
        toProcess id: Int32
    ) throws(Errno) {
        guard id > 0, let target = ProcessTable.process(id) ?? ThreadTable.thread(id)?.process
        else { throw .noSuchProcess }
        try checkOrigin(information, target)
        guard maySend(signal, to: target, from: Process.current) else { throw .notPermitted }
        guard let signal else { return }
        try send(signal, information, to: target)
    }

    /// The same to one thread: rt_tgsigqueueinfo(2).
    public static func queue(
        _ signal: Signal?,
        _ information: SignalInformation,
        toThread id: Int32,
        of process: Int32
    ) throws(Errno) {
        guard let thread = ThreadTable.thread(id), let target = thread.process,
            process == 0 || target.id == process
        else { throw .noSuchProcess }
        guard maySend(signal, to: target, from: Process.current) else { throw .notPermitted }
        guard let signal else { return }
        try send(signal, information, to: thread)
    }

    public static func checkOrigin(_ information: SignalInformation, _ target: Process)
        throws(Errno)
    {
        let isKernels =
            information.code >= 0 || information.code == SignalInformation.threadKill
        guard !isKernels || target === Process.current else { throw .notPermitted }
    }

    /// kill(2), "the real or effective user ID of the sending process must equal the real or saved
    /// set-user-ID of the target".
    private static func maySend(_ signal: Signal?, to target: Process, from sender: Process)
        -> Bool
    {
        if target === sender || sender.credentials.effectiveUser == 0 { return true }
        if signal == .continue, target.sessionID == sender.sessionID { return true }
        let from = sender.credentials
        let to = target.credentials
        return [from.realUser, from.effectiveUser].contains { user in
            user == to.realUser || user == to.savedUser
        }
    }
}
