import LinuxABI

/// Which children wait(2) is about.
public enum ChildSelection {
    case any
    case process(Int32)
    case group(Int32)
}

/// The options of wait4(2) and waitid(2).
public struct WaitOptions: OptionSet {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// WNOHANG
    public static var doesNotWait: WaitOptions { WaitOptions(rawValue: 1) }
    /// WUNTRACED, WSTOPPED
    public static var stopped: WaitOptions { WaitOptions(rawValue: 2) }
    /// WEXITED
    public static var ended: WaitOptions { WaitOptions(rawValue: 4) }
    /// WCONTINUED
    public static var continued: WaitOptions { WaitOptions(rawValue: 8) }
    /// WNOWAIT
    public static var keepsNews: WaitOptions { WaitOptions(rawValue: 0x0100_0000) }
    /// __WNOTHREAD
    public static var ownChildren: WaitOptions { WaitOptions(rawValue: 0x2000_0000) }
    /// __WALL
    public static var everyKind: WaitOptions { WaitOptions(rawValue: 0x4000_0000) }
    /// __WCLONE
    public static var clones: WaitOptions { WaitOptions(rawValue: 0x8000_0000) }
}

/// What a parent hears of a child.
public struct ChildNews {
    public enum Kind: Int32 {
        case ended
        case stopped
        case continued
    }

    public let kind: Kind
    public let process: Int32
    public let user: UInt32
    /// As wait(2) encodes it.
    public let status: Int32
    public let usage: ResourceUsage
    private let time: Nanoseconds

    init(_ kind: Kind, of child: Process) {
        self.kind = kind
        process = child.id
        user = child.hasEnded ? child.endedAs : child.credentials.realUser
        time = child.processorTime
        usage = child.hasEnded ? child.endedUsing : child.usage(ofThread: nil)
        status =
            switch kind {
            case .ended: (child.exitStatus ?? .exited(0)).waitStatus
            case .stopped: Int32(child.stopSignal?.rawValue ?? 0) << 8 | 0x7f
            case .continued: 0xffff
            }
    }

    /// CLD_EXITED and its kin.
    private var code: Int32 {
        switch kind {
        case .ended: status & 0x7f == 0 ? 1 : status & 0x80 == 0 ? 2 : 3
        case .stopped: 5
        case .continued: 6
        }
    }

    /// The exit code or the signal, as `si_status`.
    private var value: Int32 {
        switch kind {
        case .ended: status & 0x7f == 0 ? status >> 8 : status & 0x7f
        case .stopped: status >> 8
        case .continued: Signal.continue.number
        }
    }

    /// As SIGCHLD and waitid(2) tell it.
    public func information(_ signal: Signal) -> SignalInformation {
        var information = SignalInformation(
            signal,
            code: code,
            senderProcess: process,
            senderUser: user,
            value: UInt64(UInt32(bitPattern: value))
        )
        information.words[2] = time / (10 * .millisecond)
        return information
    }
}

extension Process {
    /// Waits until a child has news, as wait4(2); nil when there are none and WNOHANG says not to wait.
    ///
    /// Throws `noChild`, `interrupted`.
    public func waitForChild(_ selection: ChildSelection, _ options: WaitOptions)
        throws(Errno) -> ChildNews?
    {
        var interruption: Errno?
        while true {
            var hasSuchChild = false
            unowned(unsafe) var cursor = firstChild
            while let child = cursor {
                cursor = child.nextSibling
                guard child.isMeant(selection, options) else { continue }
                hasSuchChild = true
                if let news = child.takeNews(options, by: self) { return news }
            }
            guard hasSuchChild else { throw .noChild }
            if options.contains(.doesNotWait) { return nil }
            // The news that a signal tells of come before the signal.
            if let interruption { throw interruption }
            do throws(Errno) { try childNews.wait() } catch { interruption = error }
        }
    }

    private func isMeant(_ selection: ChildSelection, _ options: WaitOptions) -> Bool {
        switch selection {
        case .any: break
        case .process(let id): guard self.id == id else { return false }
        case .group(let id): guard groupID == id else { return false }
        }
        return options.contains(.everyKind) || (exitSignal != .child) == options.contains(.clones)
    }

    private func takeNews(_ options: WaitOptions, by parent: Process) -> ChildNews? {
        let keeps = options.contains(.keepsNews)
        if hasEnded {
            guard options.contains(.ended) else { return nil }
            let news = ChildNews(.ended, of: self)
            if !keeps { bury(parent) }
            return news
        }
        guard let kind = unheardNews,
            options.contains(kind == .stopped ? .stopped : .continued)
        else { return nil }
        if !keeps { unheardNews = nil }
        return ChildNews(kind, of: self)
    }
}
