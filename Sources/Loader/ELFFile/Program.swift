import LoaderCore

/// A file that `unirun` may be told to run, found to be one that it can.
public enum Program {
    case executable(ExecutableImage)
    /// A `#!` script. Its interpreter is looked up in the guest's own root.
    case script(interpreter: String, argument: String?)

    /// Opens and checks a program; every refusal is one line for people.
    ///
    /// With a root file system a dynamically linked program, or a script, may find its interpreter
    /// there; without one it is refused.
    public static func open(
        _ path: String,
        hasRootFileSystem: Bool
    ) throws(ProgramError) -> Program {
        let file = try HostFile(path: path)
        let firstBytes = file.bytes(at: 0, count: 512)
        guard file.isExecutable else {
            throw ProgramError(
                path: path,
                reason: "it is not executable",
                advice: "chmod +x, if it is a program"
            )
        }
        if firstBytes.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) {
            return try script(path, firstBytes, hasRootFileSystem)
        }
        let image = try ExecutableImage(file)
        if let interpreter = image.interpreter, !hasRootFileSystem {
            throw ProgramError(
                path: path,
                reason: "it is dynamically linked (its interpreter is \(interpreter))",
                advice: "link it statically (-static), or give --rootfs with its libraries"
            )
        }
        return .executable(image)
    }

    private static func script(
        _ path: String,
        _ firstBytes: [UInt8],
        _ hasRootFileSystem: Bool
    ) throws(ProgramError) -> Program {
        let line: ScriptLine
        do throws(LoadError) {
            line = try ScriptLine(parsing: firstBytes)
        } catch { throw ProgramError(path: path, error, firstBytes: firstBytes) }
        let interpreter = String(decoding: firstBytes[line.interpreter], as: UTF8.self)
        guard hasRootFileSystem else {
            throw ProgramError(
                path: path,
                reason: "it is a script for \(interpreter), which this guest's root does not hold",
                advice: "give --rootfs with the interpreter, or run a static one with the script"
            )
        }
        let argument = line.argument.map { String(decoding: firstBytes[$0], as: UTF8.self) }
        return .script(interpreter: interpreter, argument: argument)
    }
}

extension ScriptLine {
    /// Parses an array; `withUnsafeBytes` would forget the error's type.
    init(parsing bytes: [UInt8]) throws(LoadError) {
        let result = bytes.withUnsafeBytes { buffer -> Result<ScriptLine, LoadError> in
            do throws(LoadError) {
                return .success(try ScriptLine(buffer))
            } catch { return .failure(error) }
        }
        self = try result.get()
    }
}
