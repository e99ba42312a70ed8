import LinuxABI
import LoaderCore
import Platform

/// An open file as the loader reads it.
final class LoadableFile: ExecutableFile {
    let file: OpenFile
    let size: UInt64
    /// Nobody writes to the file while it is kept.
    let hold: ExecutionHold?

    private init(_ file: OpenFile, _ size: UInt64, _ hold: ExecutionHold?) {
        self.file = file
        self.size = size
        self.hold = hold
    }

    /// Throws `textFileBusy` while the file is open for writing.
    static func open(_ file: OpenFile) throws(Errno) -> LoadableFile {
        var hold: ExecutionHold?
        if let inode = file.inode { hold = try ExecutionHold.take(inode) }
        return LoadableFile(file, UInt64(clamping: try file.status().size), hold)
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        guard offset < UInt64(Int.max) else { return 0 }
        var transfer = Transfer(kernel: UnsafeRawBufferPointer(buffer))
        var position = Int(offset)
        return try file.read(&transfer, at: &position)
    }
}

/// What execve(2) is going to run: found, checked and planned, with nothing changed yet.
struct ExecutableProgram {
    let file: LoadableFile
    let plan: LoadPlan
    let interpreter: (file: LoadableFile, plan: LoadPlan)?
    /// The arguments; those of a script begin with its interpreter.
    let arguments: StringList
    /// The path as it was given, a script's too: AT_EXECFN, and the thread's name.
    let path: [UInt8]

    /// How often a script's interpreter may be a script.
    private static let maximumDepth = 5

    /// Finds and plans the program at `place`. `path` is how it is named to an interpreter.
    init(
        _ place: VFS.Place,
        _ flags: PathFlags,
        path: [UInt8],
        arguments: StringList,
        process: Process
    ) throws(Errno) {
        var arguments = arguments
        var name = path
        var file = try LoadableFile.open(try VFS.openExecutable(place, process, flags))
        var depth = 0
        while let script = try ExecutableProgram.scriptLine(of: file) {
            depth += 1
            guard depth <= ExecutableProgram.maximumDepth else { throw .tooManySymbolicLinks }
            arguments = try ExecutableProgram.scriptArguments(script, name, arguments)
            name = script.interpreter
            file = try ExecutableProgram.open(name, process)
        }
        self.file = file
        self.arguments = arguments
        self.path = path
        let limits = AddressLimits.x86
        let base = limits.randomizedBase(Entropy.next(), bits: 28)
        do throws(LoadError) {
            plan = try LoadPlan(file, limits: limits, base: base)
        } catch { throw error.errno }
        guard let name = plan.interpreter else {
            interpreter = nil
            return
        }
        let loader = try ExecutableProgram.open(name, process)
        // Above all that a randomly placed program can reach.
        let loaderBase = limits.randomizedBase(Entropy.next(), bits: 28) &+ 1 << 40
        do throws(LoadError) {
            interpreter = (loader, try LoadPlan(loader, limits: limits, base: loaderBase))
        } catch { throw error.interpreterErrno }
    }

    private static func open(_ path: [UInt8], _ process: Process) throws(Errno) -> LoadableFile {
        var opened: Result<OpenFile, Errno> = .failure(.noSuchFileOrDirectory)
        path.withUnsafeBytes { bytes in
            do throws(Errno) {
                opened = .success(
                    try VFS.openExecutable(
                        VFS.Place(PathFlags.workingDirectory, bytes),
                        process
                    )
                )
            } catch { opened = .failure(error) }
        }
        return try LoadableFile.open(try opened.get())
    }

    private struct Script {
        let interpreter: [UInt8]
        let argument: [UInt8]?
    }

    /// The first line of a script; `nil` when the file is none.
    private static func scriptLine(of file: LoadableFile) throws(Errno) -> Script? {
        var start = InlineArray<256, UInt8>(repeating: 0)
        return try withUnsafeMutableBytes(of: &start) { (bytes) throws(Errno) in
            let length = Int(min(file.size, UInt64(ScriptLine.maximumLength)))
            let head = UnsafeMutableRawBufferPointer(rebasing: bytes[..<length])
            let count = try file.read(at: 0, into: head)
            let line = UnsafeRawBufferPointer(rebasing: bytes[..<min(count, length)])
            guard ScriptLine.begins(line) else { return nil }
            do throws(LoadError) {
                let parsed = try ScriptLine(line)
                return Script(
                    interpreter: Array(line[parsed.interpreter]),
                    argument: parsed.argument.map { Array(line[$0]) }
                )
            } catch { throw error.errno }
        }
    }

    /// Interpreter, its argument, the script's path, and the script's own arguments.
    private static func scriptArguments(
        _ script: Script,
        _ path: [UInt8],
        _ arguments: StringList
    ) throws(Errno) -> StringList {
        let list = try StringList(capacity: arguments.table.bytes.count + 4096)
        for text in [script.interpreter, script.argument, path] {
            guard let text else { continue }
            var failure: Errno?
            text.withUnsafeBytes { bytes in
                do throws(Errno) { try list.append(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
        }
        let all = arguments.table.bytes
        var rest = 0
        while rest < all.count, all[rest] != 0 { rest += 1 }
        if rest + 1 < all.count {
            try list.append(strings: UnsafeRawBufferPointer(rebasing: all[(rest + 1)...]))
        }
        return list
    }
}
