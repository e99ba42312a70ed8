import LinuxABI

/// SIGIO: telling a process or a group that a file may be read or written, fcntl(2) F_SETOWN, F_SETSIG.
final class FileNews: WaitEntry {
    private unowned(unsafe) let file: OpenFile
    /// The descriptor by which it was asked for, which the signal tells.
    private let descriptor: FileDescriptor

    init(_ file: OpenFile, _ descriptor: FileDescriptor) {
        self.file = file
        self.descriptor = descriptor
    }

    override func notify(_ events: PollEvents) -> Bool {
        let code = file.newsCode(events)
        if code != 0 { file.owner.tell(code, descriptor) }
        return false
    }
}

/// Whom a file tells, and how.
public struct FileOwner {
    /// A process, or minus a process group, or a thread.
    public var id: Int32 = 0
    public var isThread = false
    /// Zero: SIGIO that says nothing more.
    public var signal: UInt8 = 0

    /// POLL_IN and POLL_OUT
    static var canRead: Int32 { 1 }
    static var canWrite: Int32 { 2 }

    fileprivate func tell(_ code: Int32, _ descriptor: FileDescriptor) {
        guard id != 0 else { return }
        if id < 0 {
            return ProcessTable.forEach { if $0.groupID == -id { send(code, descriptor, to: $0) } }
        }
        if isThread {
            guard let thread = ThreadTable.thread(id) else { return }
            _ = try? Signals.send(number, information(code, descriptor), to: thread)
        } else if let process = ProcessTable.process(id) {
            send(code, descriptor, to: process)
        }
    }

    private func send(_ code: Int32, _ descriptor: FileDescriptor, to process: Process) {
        do throws(Errno) {
            try Signals.send(number, information(code, descriptor), to: process)
        } catch {
            // As Linux: there is no room for one that says more.
            Signals.send(.inputOutput, to: process)
        }
    }

    private var number: Signal { Signal(number: Int(signal)) ?? .inputOutput }

    private func information(_ code: Int32, _ descriptor: FileDescriptor) -> SignalInformation {
        guard signal != 0 else {
            return SignalInformation(
                signal: Signal.inputOutput.number,
                code: SignalInformation.kernel
            )
        }
        var told = SignalInformation(signal: number.number, code: code)
        let events: PollEvents =
            code == FileOwner.canRead ? .allReadable : [.allWritable, .writeBand]
        told.words[0] = UInt64(events.rawValue)
        told.words[1] = UInt64(descriptor.rawValue)
        return told
    }
}

extension OpenFile {
    /// As O_ASYNC is set or taken away.
    final func setTelling(_ isOn: Bool, _ descriptor: FileDescriptor) {
        guard tellsNews, isOn != (news != nil) else { return }
        if isOn {
            let entry = FileNews(self, descriptor)
            waitQueue?.lent.add(entry)
            news = entry
            flags.insert(.asynchronous)
        } else {
            stopTelling()
        }
    }

    final func stopTelling() {
        guard let entry = news else { return }
        entry.leave()
        news = nil
        flags.remove(.asynchronous)
    }
}
