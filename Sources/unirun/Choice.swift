import ArgumentParser
import Tender

/// An option's word, which should be one of a few. A wrong one is told in one line of this command's, for
/// which the parser takes any word; help and completion still name the right ones.
struct Choice<Value>: ExpressibleByArgument
where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    private let word: String

    init(_ value: Value) { word = value.rawValue }

    init?(argument: String) { word = argument }

    var defaultValueDescription: String { word }

    static var allValueStrings: [String] { Value.allCases.map(\.rawValue) }

    /// The value; `option` is what stands before the word, for the advice.
    func value(of name: String, _ option: String? = nil) throws(LaunchFailure) -> Value {
        if let value = Value(rawValue: word) { return value }
        let advice = Self.allValueStrings.map { "\(option ?? "--\(name)") \($0)" }
        throw LaunchFailure(
            "\(name) '\(word)' is not known; write \(advice.joined(separator: " or "))"
        )
    }
}
