% Octave and MATLAB: W1 is [out, in] and a sample is a column. "loose": both drop and add axes of length 1.
url = 'http://127.0.0.1:8080';
layers = {struct('type', 'linear', 'out_features', 3), struct('type', 'tanh'), struct('type', 'linear', 'out_features', 1)};
lab.network = struct('input', 2, 'layers', {layers}, 'loss', 'mse');
lab.convention = 'columns';
lab.shapes = 'loose';
lab.parameters = struct('W1', W1, 'b1', b1, 'W2', W2, 'b2', b2);
lab.data = struct('x', X, 'y', Y);
lab.gradients = struct('W1', dW1, 'b1', db1, 'W2', dW2, 'b2', db2);
disp(webwrite([url '/v1/check?format=text'], 'request', jsonencode(lab)));
