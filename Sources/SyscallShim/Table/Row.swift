import Kernel
import LinuxABI
import Platform

/// A handler: the six argument registers in, `rax` out. It only decodes, calls a service of the
/// kernel and encodes.
public typealias Handler = @convention(c) (UInt, UInt, UInt, UInt, UInt, UInt) -> Int

/// A handler that reads or replaces the whole register frame: clone, execve, rt_sigreturn. What it
/// returns becomes `rax` of the frame.
public typealias FrameHandler = @convention(c) (UnsafeMutablePointer<trap_frame>) -> Int

/// One system call: the only place where it is described. Dispatch, `--strace`, `unirun syscalls`,
/// `unirun check` and the compatibility matrix are made from it.
///
/// Tables of rows are plain data in the image: a row holds nothing that must be built at run time.
public struct Row {
    /// The number on x86-64.
    public let number: UInt16
    public let level: Level
    /// What becomes of the call when a signal interrupts it.
    public let restart: RestartClass
    public let result: Argument
    public let arguments: InlineArray<6, Argument>
    public let name: StaticString
    /// What is missing, for a partial row; why, for a refused one.
    public let note: StaticString
    let handler: Handler?
    let frameHandler: FrameHandler?
    /// What a refused call fails with, as errno(3) numbers it.
    public let refusal: UInt16

    /// How much of the call there is.
    public enum Level: UInt8 {
        case full
        case partial
        case refused
    }

    /// A call that is answered from its six registers.
    @inline(__always)
    public init(
        _ number: UInt16,
        _ name: StaticString,
        _ handler: @escaping Handler,
        _ level: Level = .full,
        _ first: Argument = .none,
        _ second: Argument = .none,
        _ third: Argument = .none,
        _ fourth: Argument = .none,
        _ fifth: Argument = .none,
        _ sixth: Argument = .none,
        result: Argument = .integer,
        restart: RestartClass = .never,
        note: StaticString = ""
    ) {
        self.init(
            number,
            name,
            level,
            handler: handler,
            frameHandler: nil,
            arguments: [first, second, third, fourth, fifth, sixth],
            result: result,
            restart: restart,
            note: note
        )
    }

    /// A call that needs the whole frame.
    @inline(__always)
    public init(
        _ number: UInt16,
        _ name: StaticString,
        frame handler: @escaping FrameHandler,
        _ level: Level = .full,
        _ first: Argument = .none,
        _ second: Argument = .none,
        _ third: Argument = .none,
        _ fourth: Argument = .none,
        _ fifth: Argument = .none,
        _ sixth: Argument = .none,
        result: Argument = .integer,
        restart: RestartClass = .never,
        note: StaticString = ""
    ) {
        self.init(
            number,
            name,
            level,
            handler: nil,
            frameHandler: handler,
            arguments: [first, second, third, fourth, fifth, sixth],
            result: result,
            restart: restart,
            note: note
        )
    }

    /// A call that is known and not there.
    @inline(__always)
    public init(
        refused number: UInt16,
        _ name: StaticString,
        errno refusal: UInt16 = 38,
        note: StaticString = "not in this version"
    ) {
        self.init(
            number,
            name,
            .refused,
            handler: nil,
            frameHandler: nil,
            refusal: refusal,
            arguments: [.hexadecimal, .hexadecimal, .hexadecimal, .hexadecimal, .none, .none],
            note: note
        )
    }

    @inline(__always)
    private init(
        _ number: UInt16,
        _ name: StaticString,
        _ level: Level,
        handler: Handler?,
        frameHandler: FrameHandler?,
        refusal: UInt16 = 0,
        arguments: InlineArray<6, Argument>,
        result: Argument = .integer,
        restart: RestartClass = .never,
        note: StaticString
    ) {
        self.number = number
        self.name = name
        self.level = level
        self.handler = handler
        self.frameHandler = frameHandler
        self.refusal = refusal
        self.arguments = arguments
        self.result = result
        self.restart = restart
        self.note = note
    }
}
